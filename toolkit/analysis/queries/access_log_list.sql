-- The sources that hold access lines, and what those lines carry. A duration of whole seconds alone cannot split a latency.
SELECT
    server,
    source,
    any_value(file) AS file,
    count(*) AS lines,
    count(request_id) AS with_id,
    count(duration_ms) AS with_duration,
    coalesce(bool_and(duration_ms % 1000 = 0), false) AS whole_seconds,
    min(t_low_ns) AS first_ns,
    max(t_high_ns) AS last_ns
FROM log_events
WHERE kind = 'access'
GROUP BY server, source
ORDER BY server, source
