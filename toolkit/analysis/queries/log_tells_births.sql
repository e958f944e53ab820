-- Whether a log that is gunicorn's own was followed, and whether one told of workers that were made.
SELECT
    EXISTS (
        SELECT 1 FROM log_sources WHERE server = $server AND role = 'error' AND (lines > 0 OR note IS NULL)
    ) AS followed,
    EXISTS (SELECT 1 FROM log_events WHERE server = $server AND event = 'booting') AS told
