-- Gunicorn's lines that may tell why workers come and go.
SELECT
    server, t_ns, event, pid, exit_signal, exit_code,
    source, position, coalesce(file, '') AS file, coalesce(message, '') AS message,
    coalesce(level, '') AS level, writer, coalesce(perhaps_quoted, false) AS perhaps_quoted
FROM log_events
WHERE t_ns IS NOT NULL AND kind = 'gunicorn' AND event IS NOT NULL
    AND event NOT IN ('request_failed', 'invalid_request', 'socket_error', 'using_worker')
ORDER BY server, t_ns, source, position
LIMIT $most
