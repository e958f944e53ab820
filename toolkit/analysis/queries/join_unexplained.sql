-- Failed requests whose cause may be a traceback or a worker's end, with what is known of their line. `settled`: the server's own
-- line tells an end that no cut connection can explain. `went_well`: it tells that
-- the server itself did not fail. `apart`: what stands in front refused it by itself, no worker had it. `owes_line`: it has no line, and would have one if a worker had been at it,
-- but for an exception that gunicorn itself had to handle: the log was read then, and until it must have been done with.
CREATE TABLE join_unexplained AS
SELECT
    requests.request_no, requests.site, requests.method, requests.path, requests.status, requests.start_ns, requests.end_ns,
    -- Who gives up does so before the server is through; a connection that was closed was closed at its end.
    (requests.status IS NULL OR list_contains($late, requests.status)) AND NOT list_contains($closed, coalesce(requests.error, '')) AS late,
    list_contains($closed, coalesce(requests.error, '')) AS closed,
    lines.server, lines.t_high_ns AS line_ns,
    coalesce(lines.status >= 500, false) AS server_failed,
    coalesce(lines.status = requests.status, false) AS same_status,
    -- What stands in front writes its line of a 502 too, which says nothing of what came to pass behind it.
    lines.line_no IS NOT NULL AND NOT (lines.layer > 0 AND coalesce(requests.status = 502, false)) AS settled,
    traced.request_no IS NOT NULL AS traced,
    coalesce(lines.layer = 0 AND lines.status < 500, false) AND NOT list_contains($closed, coalesce(requests.error, '')) AS went_well,
    lines.line_no IS NULL AND (requests.at_once OR coalesce(requests.status IN (503, 521, 523), false)) AS apart,
    lines.line_no IS NULL AND coalesce(origins.known, false) AND coalesce(requests.end_ns <= covered.to_ns, false)
        AND requests.start_ns + ($longest_ms + 1000) * 1e6 <= least(covered.to_ns, $last_ns)
        -- Its worker may have died.
        AND NOT list_contains($closed, coalesce(requests.error, '')) AND coalesce(requests.status <> 502, true) AS owes_line
FROM join_requests AS requests
LEFT JOIN join_best AS best USING (request_no)
LEFT JOIN join_lines AS lines ON lines.line_no = best.line_no
LEFT JOIN join_traced AS traced ON traced.request_no = requests.request_no
LEFT JOIN join_origins AS origins
    ON origins.origin = requests.origin AND origins.load = requests.load AND origins.name = requests.name
ASOF LEFT JOIN join_covered AS covered ON requests.start_ns >= covered.from_ns
WHERE requests.failed AND requests.sent AND requests.protocol = 'http' AND (
    requests.status IS NULL OR requests.status >= 500
    OR list_contains($closed, coalesce(requests.error, '')) -- an answer that broke off
)
