-- Second by second in which requests ended, of each server: how many its access log has, and where they spent their time.
SELECT
    server, end_ns // 1000000000 AS t, count(*) AS answers,
    avg(server_ms) AS server_ms, avg(outside_ms) FILTER (outside_ms >= 0) AS outside_ms
FROM joined
WHERE server IS NOT NULL
GROUP BY server, t
ORDER BY server, t
