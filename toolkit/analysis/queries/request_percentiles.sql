-- Percentiles of one measure ($of: latency_ms, first_byte_ms, send_lag_ms, bytes_in) for one grouping ($by: all, name, phase).
-- They are exact, linear between the two closest ranks: (n - 1) * q counted from 0. One measure and grouping at a time, as
-- each holds all of its values in memory.
WITH measured AS (
    SELECT
        CASE WHEN $by <> 'all' THEN load END AS load,
        CASE WHEN $by = 'name' THEN protocol END AS protocol,
        CASE WHEN $by = 'name' THEN name END AS name,
        CASE WHEN $by = 'phase' THEN phase END AS phase,
        CASE $of
            WHEN 'latency_ms' THEN latency_ms
            WHEN 'first_byte_ms' THEN (first_byte_ns - start_ns) / 1e6
            WHEN 'send_lag_ms' THEN (start_ns - intended_ns) / 1e6
            ELSE bytes_in
        END AS value
    FROM requests
    WHERE status IS NOT NULL OR $of = 'send_lag_ms'
)
SELECT load, protocol, name, phase, quantile_cont(value, [0.5, 0.75, 0.9, 0.95, 0.99, 0.999]) AS percentiles
FROM measured
WHERE value IS NOT NULL
GROUP BY load, protocol, name, phase
