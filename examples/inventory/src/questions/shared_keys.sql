-- Keys that several hosts share, the most shared first.
SELECT spki_sha256, count(*) AS hosts, min(host) AS a_host, max(host) AS another_host
FROM (SELECT DISTINCT cert_spki_sha256({der}) AS spki_sha256, {host} AS host FROM {certs})
WHERE spki_sha256 IS NOT NULL
GROUP BY spki_sha256
HAVING count(*) > 1
ORDER BY hosts DESC, spki_sha256
