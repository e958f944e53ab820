-- The error logs that hold lines of gunicorn.
SELECT DISTINCT log_sources.server, log_sources.source
FROM log_sources
JOIN log_events USING (server, source)
WHERE log_sources.role = 'error' AND log_events.kind = 'gunicorn' AND log_events.event IS NOT NULL
