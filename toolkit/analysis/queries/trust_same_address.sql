-- GETs of one address (origin and path; values of queries are not recorded) that were answered, by windows of $window_s seconds in
-- which they started: how many, their median latency, and what the answers were like.
SELECT
    start_ns // 1000000000 // $window_s AS nth,
    status,
    count(*) AS requests,
    median(latency_ms) AS p50_ms,
    median(bytes_in) AS bytes_in
FROM requests
WHERE protocol = 'http' AND method = 'GET' AND status IS NOT NULL AND error IS NULL
    AND list_contains($origins, lower(regexp_extract(url, '^[A-Za-z+.-]+://[^/?#]*')))
    AND coalesce(nullif(regexp_extract(url, '^[A-Za-z+.-]+://[^/?#]*([^?#]*)', 1), ''), '/') = $path
GROUP BY ALL
ORDER BY ALL
