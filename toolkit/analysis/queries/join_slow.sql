-- The slow requests: at or above the 99th percentile of their name, the slowest $most.
CREATE TABLE join_slow AS
WITH limits AS (
    SELECT load, protocol, name, quantile_cont(latency_ms, 0.99) AS p99_ms
    FROM requests
    WHERE status IS NOT NULL
    GROUP BY load, protocol, name
)
SELECT requests.request_no
FROM requests
JOIN limits USING (load, protocol, name)
WHERE requests.status IS NOT NULL AND requests.latency_ms >= limits.p99_ms
ORDER BY requests.latency_ms DESC, requests.request_no
LIMIT $most
