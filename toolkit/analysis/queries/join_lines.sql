-- The access lines, numbered, with what a request can be recognised by. Lines of the canary ($canary: its User-Agent, and the
-- beginning of its ids) are of no request of the load.
CREATE TABLE join_lines AS
SELECT
    row_number() OVER () AS line_no,
    logs.layer, sites.site, events.server, events.source, events.position, events.t_ns, events.t_low_ns, events.t_high_ns,
    nullif(events.request_id, '') AS request_id,
    upper(events.method) AS method,
    left(plain_path(events.url_path), 1000) AS path,
    events.status,
    CASE WHEN NOT logs.whole_seconds AND events.duration_ms >= 0 THEN events.duration_ms END AS duration_ms
FROM log_events AS events
JOIN access_logs AS logs USING (server, source)
LEFT JOIN join_sites AS sites USING (server)
WHERE events.kind = 'access' AND NOT coalesce(contains(events.text, $canary), false)
