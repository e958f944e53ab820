-- As latency_bins.sql, of each request's name over the whole run.
SELECT
    load, protocol, name,
    least($last, greatest(0, floor(20 * log10(greatest(latency_ms, 1e-6) / 0.1) + 1e-9)))::INTEGER AS bin,
    count(*) AS requests
FROM requests
WHERE status IS NOT NULL
GROUP BY ALL
ORDER BY load, protocol, name, bin
