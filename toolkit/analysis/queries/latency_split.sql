-- Where the latency of each request name was spent, of the requests of which both are known.
SELECT
    load, protocol, name,
    count(*) AS requests,
    avg(server_ms) AS server_mean_ms,
    quantile_cont(server_ms, [0.5, 0.95, 0.99]) AS server_ms,
    avg(outside_ms) AS outside_mean_ms,
    quantile_cont(outside_ms, [0.5, 0.95, 0.99]) AS outside_ms
FROM joined
WHERE server_ms IS NOT NULL AND outside_ms IS NOT NULL
GROUP BY load, protocol, name
ORDER BY requests DESC, load, name, protocol
