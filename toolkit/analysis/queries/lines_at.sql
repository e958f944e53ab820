-- The lines at these places. t_ns: when they were written, as near as that is known: between t_low_ns and t_high_ns.
WITH places AS (
    SELECT unnest($servers) AS server, unnest($sources) AS source, unnest($positions) AS position
)
SELECT DISTINCT
    events.server, events.source, events.file, events.position, events.t_ns, events.t_low_ns, events.t_high_ns, events.kind, events.event, events.level, events.pid,
    events.exception, events.place, events.fingerprint, events.text
FROM log_events AS events
JOIN places USING (server, source, position)
