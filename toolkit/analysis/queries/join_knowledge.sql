-- The longest that anything took, and whether every first access log carries the client's ids.
SELECT
    coalesce(greatest(
        (SELECT max(duration_ms) FROM join_lines),
        -- What was given up took until its line.
        (SELECT max(greatest(requests.end_ns, lines.t_low_ns) - requests.start_ns) / 1e6
            FROM join_requests AS requests JOIN join_best AS best USING (request_no) JOIN join_lines AS lines USING (line_no))
    ), 0) AS longest_ms,
    NOT EXISTS (
        SELECT 1
        FROM access_logs AS logs
        ANTI JOIN join_id_logs AS named ON named.server = logs.server AND named.source = logs.source
        WHERE logs.layer = 0
    ) AS ids
