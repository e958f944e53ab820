-- One row a second from the first start to the last end. Counted in the second in which a request ended.
-- $longest: seconds; a recording that claims to be longer is shown up to there.
WITH bounds AS (
    SELECT min(start_ns) // 1000000000 AS first, max(end_ns) // 1000000000 AS last FROM requests
),
grid AS (
    SELECT unnest(range(first, least(last, first + $longest) + 1)) AS t FROM bounds WHERE first IS NOT NULL
),
ended AS (
    SELECT
        end_ns // 1000000000 AS t,
        count(*) AS requests,
        count(*) FILTER (status BETWEEN 200 AND 299) AS status_2xx,
        count(*) FILTER (status BETWEEN 300 AND 399) AS status_3xx,
        count(*) FILTER (NOT accepted AND status BETWEEN 400 AND 499) AS status_4xx,
        count(*) FILTER (NOT accepted AND status >= 500) AS status_5xx,
        count(*) FILTER (accepted) AS accepted,
        count(*) FILTER (status = 0) AS status_0,
        count(*) FILTER (status IS NULL AND error IS NOT NULL) AS errors,
        count(*) FILTER (status IS NOT NULL AND error IS NOT NULL) AS failed_checks,
        count(*) FILTER (failed) AS failed,
        quantile_cont(latency_ms, [0.5, 0.95, 0.99]) FILTER (status IS NOT NULL) AS percentiles_ms
    FROM requests
    GROUP BY t
),
begun AS (
    SELECT start_ns // 1000000000 AS t, count(*) AS started FROM requests GROUP BY t
)
SELECT
    grid.t,
    coalesce(requests, 0) AS requests,
    coalesce(status_2xx, 0) AS status_2xx,
    coalesce(status_3xx, 0) AS status_3xx,
    coalesce(status_4xx, 0) AS status_4xx,
    coalesce(status_5xx, 0) AS status_5xx,
    coalesce(accepted, 0) AS accepted,
    coalesce(status_0, 0) AS status_0,
    coalesce(errors, 0) AS errors,
    coalesce(failed_checks, 0) AS failed_checks,
    coalesce(failed, 0) AS failed,
    percentiles_ms[1] AS p50_ms,
    percentiles_ms[2] AS p95_ms,
    percentiles_ms[3] AS p99_ms,
    coalesce(started, 0) AS started
FROM grid
LEFT JOIN ended USING (t)
LEFT JOIN begun USING (t)
ORDER BY grid.t
