-- Per log: in which unit its durations are where it does not name one, and what the time of its access lines is.
-- Unit: the largest in which the server's median is not above the clients'; without clients, whole numbers are milliseconds.
-- Time: a request cannot end after its line was read (then the time is not its start), nor can its line be read long after it
-- was written (then it is). Both are seen where requests last as long as the agent's interval; else it stays unknown.
WITH client AS (
    SELECT median(latency_ms) AS ms FROM requests WHERE protocol = 'http' AND status IS NOT NULL
), durations AS (
    SELECT log, median(duration) AS middle, bool_and(duration = floor(duration)) AS whole
    FROM staged_log_events
    WHERE kind = 'access' AND duration IS NOT NULL AND duration_unit IS NULL
    GROUP BY log
), units AS (
    SELECT
        log,
        CASE
            WHEN client.ms IS NULL THEN CASE WHEN whole OR middle > 2 THEN 1.0 ELSE 1e3 END
            WHEN middle * 1e3 <= 1.5 * client.ms THEN 1e3
            WHEN middle <= 1.5 * client.ms THEN 1.0
            WHEN middle * 1e-3 <= 1.5 * client.ms THEN 1e-3
            ELSE 1e-6
        END AS unit_ms
    FROM durations, client
), lasting AS (
    SELECT
        log, stamp_ns, resolution_ns, read_low_ns, read_high_ns,
        (least(duration * coalesce(duration_unit, unit_ms), 1e9) * 1e6)::BIGINT AS lasted_ns
    FROM staged_log_events LEFT JOIN units USING (log)
    WHERE kind = 'access' AND stamp_is = 'either' AND duration IS NOT NULL AND stamp_ns IS NOT NULL
        AND stamp_ns BETWEEN read_low_ns - 600_000_000_000 AND read_high_ns + 2_000_000_000
), votes AS (
    SELECT
        log,
        count(*) FILTER (WHERE stamp_ns + lasted_ns > read_high_ns + 5_000_000) AS for_end,
        count(*) FILTER (
            WHERE stamp_ns + resolution_ns < read_low_ns - 5_000_000
                AND stamp_ns + resolution_ns + lasted_ns >= read_low_ns - 5_000_000
                AND stamp_ns + lasted_ns <= read_high_ns + 5_000_000
        ) AS for_start
    FROM lasting
    GROUP BY log
)
SELECT
    log,
    unit_ms,
    CASE WHEN for_end > 2 * for_start THEN 'end' WHEN for_start > 2 * for_end THEN 'start' ELSE 'either' END
        AS stamp_is
FROM votes FULL JOIN units USING (log)
