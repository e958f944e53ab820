-- The lines to pair, kind by kind.
SELECT key, line_no, t_low_ns, t_high_ns, duration_ns
FROM join_open_lines
WHERE key IN (SELECT key FROM join_open_requests)
ORDER BY key, t_low_ns, line_no
