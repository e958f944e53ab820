-- Access lines of one layer, of the servers of $site if it is not null, still without a request. $named: for requests with an id of their own; these are not on a line with
-- another client's id.
CREATE OR REPLACE TABLE join_open_lines AS
SELECT
    hash(lines.method, lines.path, if($loose, NULL, lines.status)) AS key,
    lines.line_no, lines.t_low_ns, lines.t_high_ns,
    coalesce((lines.duration_ms * 1e6)::BIGINT, -1) AS duration_ns
FROM join_lines AS lines
ANTI JOIN join_matches AS used ON used.line_no = lines.line_no
LEFT JOIN join_id_logs AS id_logs ON id_logs.server = lines.server AND id_logs.source = lines.source
LEFT JOIN join_repeated AS repeated ON repeated.request_id = lines.request_id
WHERE lines.layer = $layer
    AND ($site IS NULL OR lines.site = $site)
    AND lines.path IS NOT NULL
    AND (NOT $named OR lines.request_id IS NULL OR id_logs.server IS NULL OR coalesce(repeated.times, 1) > $most)
