-- The repetitions of each load of a capacity: how long they took together, how many came to their end, how many of these well.
SELECT
    load,
    (max(end_ns) - min(start_ns)) / 1e9 AS time_s,
    count(*) FILTER (status IS NOT NULL) AS completed,
    count(*) FILTER (status IS NOT NULL AND error IS NULL) AS succeeded,
    median(latency_ms) FILTER (status IS NOT NULL) AS median_ms,
    max(latency_ms) FILTER (status IS NOT NULL) AS longest_ms
FROM requests
WHERE protocol = 'call'
GROUP BY load
