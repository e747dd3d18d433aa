-- Certificates that end after every certificate of their issuer that is in the same table: by the key that they
-- name (RFC 5280, 4.2.1.1), or by the issuer's name where they name no key.
WITH
  authorities AS (
    SELECT cert_subject({der}) AS subject, cert_subject_key_id({der}) AS key_id, cert_not_after({der}) AS not_after
    FROM {certs}
    WHERE cert_is_ca({der})
  ),
  issuers AS (
    SELECT subject, key_id, max(not_after) AS not_after FROM authorities WHERE key_id IS NOT NULL GROUP BY subject, key_id
    UNION ALL
    SELECT subject, '' AS key_id, max(not_after) AS not_after FROM authorities GROUP BY subject
  ),
  issued AS (
    SELECT {host} AS host, cert_subject({der}) AS subject, cert_serial({der}) AS serial, cert_issuer({der}) AS issuer,
      coalesce(cert_authority_key_id({der}), '') AS key_id, cert_not_after({der}) AS not_after
    FROM {certs}
    WHERE NOT cert_is_self_issued({der})
  )
SELECT issued.host, issued.subject, issued.serial, issued.not_after, issued.issuer, issuers.not_after AS issuer_not_after
-- What is named first is held in memory: the few issuers.
FROM issuers JOIN issued ON issued.issuer = issuers.subject AND issued.key_id = issuers.key_id
WHERE issued.not_after > issuers.not_after
ORDER BY issuer_not_after, issued.not_after, issued.host, issued.serial
