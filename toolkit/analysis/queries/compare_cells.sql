-- What was counted of each request name in each phase; percentiles are exact, linear between the two closest ranks.
SELECT
    load, protocol, name, coalesce(phase, '') AS phase,
    count(*) AS ended,
    count(status) AS answered,
    count(*) FILTER (failed) AS failed,
    quantile_cont(latency_ms, [0.5, 0.95, 0.99]) FILTER (status IS NOT NULL) AS percentiles_ms
FROM requests
GROUP BY ALL
ORDER BY load, protocol, name, phase
