-- Rows that are no certificate, by reason.
SELECT reason, count(*) AS "rows", min(error) AS for_example, min(host) AS a_host
FROM (SELECT coalesce(cert_error_code({der}), 'null') AS reason, cert_error({der}) AS error, {host} AS host
      FROM {certs} WHERE cert_not_after({der}) IS NULL)
GROUP BY reason
ORDER BY "rows" DESC, reason
