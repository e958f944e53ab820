-- What does not agree between the clocks of client and server, of requests joined by id.
SELECT
    -- Python stamps a line by a clock of the kernel's that is read once a tick, up to 10 ms ago.
    count(*) FILTER (joined_by = 'id' AND t_high_ns + 10_000_000 < start_ns - $error_ns) AS early,
    max(start_ns - t_high_ns) FILTER (joined_by = 'id') / 1e6 AS early_ms,
    -- One that answered for the server did not wait for it.
    count(*) FILTER (joined.status = joined.access_status AND server_ms IS NOT NULL AND outside_ms IS NULL) AS longer,
    max(server_ms - (end_ns - start_ns) / 1e6) FILTER (joined.status = joined.access_status) AS longer_ms,
    count(*) FILTER (joined.layer > 0) AS in_front
FROM joined
JOIN log_events AS events ON events.server = joined.server AND events.source = joined.source AND events.position = joined.position
