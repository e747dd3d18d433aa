-- What expires in the next 90 days, by week and issuer; a week is named by its Monday.
SELECT date_trunc('week', not_after) AS week, issuer, count(*) AS certificates, min(not_after) AS first_end, min(host) AS a_host
FROM (SELECT cert_not_after({der}) AS not_after, cert_issuer({der}) AS issuer, {host} AS host FROM {certs})
WHERE not_after >= now() AND not_after <= now() + INTERVAL '90 days'
GROUP BY week, issuer
ORDER BY week, certificates DESC, issuer
