-- The servers' logs that were looked at, as the report lists them.
SELECT server, source, path, role, kind, format, bytes, lines, dropped_bytes, limited, generations, found, note
FROM log_sources
ORDER BY server, source
