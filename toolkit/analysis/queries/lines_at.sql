-- The lines at these places.
WITH places AS (
    SELECT unnest($servers) AS server, unnest($sources) AS source, unnest($positions) AS position
)
SELECT DISTINCT
    events.server, events.source, events.file, events.position, events.t_ns, events.kind, events.event, events.level, events.pid,
    events.exception, events.place, events.fingerprint, events.text
FROM log_events AS events
JOIN places USING (server, source, position)
