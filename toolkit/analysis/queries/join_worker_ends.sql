-- Workers that ended in the middle of something, with the line that says so. Where only the agent saw it, it was up to some seconds
-- before it did.
CREATE TABLE join_worker_ends AS
SELECT
    row_number() OVER (ORDER BY ends.t_ns, ends.server, ends.pid) AS end_no,
    ends.server, sites.site, ends.pid, ends.cause, ends.cause_words, ends.certainty, ends.source, ends.position,
    ends.t_ns AS died_ns, -- of a timeout up to some seconds after the line that says so
    coalesce(lines.t_ns, ends.t_ns) AS t_ns,
    coalesce(lines.t_low_ns, ends.t_ns - 3000000000) AS t_low_ns,
    coalesce(lines.t_high_ns, ends.t_ns) AS t_high_ns
FROM worker_events AS ends
LEFT JOIN join_sites AS sites ON sites.server = ends.server
LEFT JOIN log_events AS lines
    ON lines.server = ends.server AND lines.source = ends.source AND lines.position = ends.position
WHERE ends.what = 'died' AND (
    ends.cause IN ('timeout', 'killed', 'oom', 'crash', 'exited')
    OR ends.cause = 'unknown' AND ends.source IS NULL -- a line would say that it ended in order
)
