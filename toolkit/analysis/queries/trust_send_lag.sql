-- How late requests were sent, by the second in which they started.
SELECT
    start_ns // 1000000000 AS t,
    quantile_cont(greatest(start_ns - intended_ns, 0) / 1e6, [0.5, 0.99]) AS lag_ms
FROM requests
WHERE intended_ns IS NOT NULL
GROUP BY t
ORDER BY t
