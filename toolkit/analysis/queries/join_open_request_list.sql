-- The requests to pair, kind by kind.
SELECT key, request_no, start_ns, end_ns, late
FROM join_open_requests
WHERE key IN (SELECT key FROM join_open_lines)
ORDER BY key, start_ns, request_no
