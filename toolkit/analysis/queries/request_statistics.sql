-- Times and sizes of all requests, of each request name, and of each phase. Latency is of the answered alone.
-- Percentiles: request_percentiles.sql. What errors, failed_checks and failed mean: method in summary.json.
SELECT
    CASE grouping(load, name, phase) WHEN 7 THEN 'all' WHEN 1 THEN 'name' ELSE 'phase' END AS of,
    load, protocol, name, phase,
    count(*) AS ended,
    count(status) AS answered,
    count(*) FILTER (status IS NULL AND error IS NOT NULL) AS errors,
    count(*) FILTER (status IS NOT NULL AND error IS NOT NULL) AS failed_checks,
    count(*) FILTER (failed) AS failed,
    count(*) FILTER (NOT accepted AND status BETWEEN 400 AND 499) AS status_4xx,
    count(*) FILTER (NOT accepted AND status >= 500) AS status_5xx,
    min(start_ns) AS first_start_ns,
    max(end_ns) AS last_end_ns,
    avg(latency_ms) FILTER (status IS NOT NULL) AS mean_ms,
    stddev_samp(latency_ms) FILTER (status IS NOT NULL) AS stdev_ms,
    min(latency_ms) FILTER (status IS NOT NULL) AS min_ms,
    max(latency_ms) FILTER (status IS NOT NULL) AS max_ms,
    max((start_ns - intended_ns) / 1e6) AS send_lag_max_ms,
    sum(bytes_in) FILTER (status IS NOT NULL) AS bytes_in,
    avg(bytes_in) FILTER (status IS NOT NULL) AS bytes_in_mean,
    sum(bytes_out) AS bytes_out,
    avg(bytes_out) AS bytes_out_mean
FROM requests
GROUP BY GROUPING SETS ((), (load, protocol, name), (load, phase))
ORDER BY of, load, name, protocol, phase
