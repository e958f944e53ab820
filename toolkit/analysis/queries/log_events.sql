-- One row an event of a log, on the controller's clock. Of an access line: when the request ended.
-- A stamp far from when the line was read (forged, or another clock's) counts for nothing; one that is older than the bytes
-- around it is of a line that was written late, as from a buffer, or names the start of a request of unknown length.
WITH stamped AS (
    SELECT
        events.*,
        duration * coalesce(duration_unit, unit_ms) AS duration_ms,
        stamp_ns BETWEEN read_low_ns - 600_000_000_000 AND read_high_ns + 2_000_000_000 AS believed,
        CASE
            WHEN events.stamp_is = 'either' THEN coalesce(clocks.stamp_is, 'either')
            ELSE events.stamp_is
        END AS is_at
    FROM staged_log_events AS events LEFT JOIN log_clocks AS clocks USING (log)
), lasting AS (
    SELECT *, (least(coalesce(duration_ms, 0), 1e9) * 1e6)::BIGINT AS lasted_ns FROM stamped
), ended AS (
    SELECT
        *,
        CASE WHEN believed THEN stamp_ns + CASE WHEN is_at = 'start' THEN lasted_ns ELSE 0 END END AS said_low_ns,
        CASE
            WHEN believed THEN stamp_ns + resolution_ns + CASE WHEN is_at IN ('start', 'either') THEN lasted_ns ELSE 0 END
        END AS said_high_ns
    FROM lasting
), bounded AS (
    SELECT
        *,
        CASE
            WHEN said_low_ns IS NULL OR said_low_ns > read_high_ns THEN read_low_ns
            WHEN said_high_ns < read_low_ns THEN said_low_ns
            ELSE greatest(said_low_ns, read_low_ns)
        END AS low_ns,
        CASE
            WHEN said_low_ns IS NULL OR said_low_ns > read_high_ns THEN read_high_ns
            WHEN said_high_ns < read_low_ns THEN
                CASE WHEN kind = 'access' AND duration_ms IS NULL THEN read_high_ns ELSE said_high_ns END
            ELSE least(said_high_ns, read_high_ns)
        END AS high_ns
    FROM ended
)
SELECT
    logs.server,
    logs.source,
    logs.path AS file,
    bounded.position,
    bounded.bytes,
    -- A line without a time was written shortly before it was read: the agent looks four times a second.
    CASE
        WHEN said_low_ns IS NULL THEN greatest(low_ns + (high_ns - low_ns) // 2, high_ns - 125_000_000)
        ELSE low_ns + (high_ns - low_ns) // 2
    END + offset_ns AS t_ns,
    -- journald stamps what a service prints when it reads that, some milliseconds later: a client may have its answer by then.
    low_ns - if(logs.kind = 'journal', 50_000_000, 0) + offset_ns AS t_low_ns,
    high_ns + offset_ns AS t_high_ns,
    bounded.kind, event, level, logger, pid, writer, perhaps_quoted, exit_signal, exit_code,
    coalesce(answered_ids.request_id, bounded.request_id) AS request_id, method, url_path, status, duration_ms,
    bytes_out, client, message, exception, fingerprint, place, chain, text
FROM bounded
JOIN raw_logs AS logs USING (log)
LEFT JOIN answered_ids ON answered_ids.answered_id = bounded.request_id
ORDER BY server, t_ns, source, position
