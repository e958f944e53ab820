-- One row a log that was looked at.
SELECT
    server, source, path, role, kind, format, bytes, lines, dropped_bytes, limited, generations, found, note,
    coalesce(clocks.stamp_is, nullif(own.stamp_is, 'either')) AS request_time_is,
    unit_ms AS duration_unit_ms
FROM raw_logs
LEFT JOIN log_clocks AS clocks USING (log)
LEFT JOIN (
    SELECT log, any_value(stamp_is) AS stamp_is FROM staged_log_events WHERE kind = 'access' GROUP BY log
) AS own USING (log)
ORDER BY server, source
