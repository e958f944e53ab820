-- Requests by when they ended, in $points pieces of [$from_ns, $to_ns): how many, what part failed, latency of the answered.
SELECT
    (end_ns - $from_ns) * $points // ($to_ns - $from_ns) AS piece,
    count(*) AS requests,
    count(*) FILTER (failed) AS failed,
    quantile_cont(latency_ms, 0.5) FILTER (status IS NOT NULL) AS p50_ms,
    quantile_cont(latency_ms, 0.95) FILTER (status IS NOT NULL) AS p95_ms
FROM requests
WHERE end_ns >= $from_ns AND end_ns < $to_ns AND error IS DISTINCT FROM 'interrupted'
GROUP BY piece
ORDER BY piece
