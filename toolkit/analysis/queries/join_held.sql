-- In how many requests' time each traceback was written; $margin_ns: how far the clocks may differ.
CREATE TABLE join_held AS
WITH windows AS (
    SELECT servers.server, requests.start_ns - $margin_ns AS from_ns, requests.end_ns + $margin_ns AS to_ns
    FROM join_requests AS requests
    LEFT JOIN join_best AS best USING (request_no)
    LEFT JOIN join_lines AS lines ON lines.line_no = best.line_no
    JOIN (SELECT DISTINCT server, site FROM join_tracebacks) AS servers
        ON coalesce(lines.server = servers.server, requests.site = servers.site, true)
    WHERE requests.sent AND requests.protocol = 'http'
),
begun AS (
    SELECT server, from_ns, sum(count(*)) OVER (PARTITION BY server ORDER BY from_ns) AS requests FROM windows GROUP BY server, from_ns
),
ended AS (
    SELECT server, to_ns, sum(count(*)) OVER (PARTITION BY server ORDER BY to_ns) AS requests FROM windows GROUP BY server, to_ns
)
SELECT traces.trace_no, (coalesce(begun.requests, 0) - coalesce(ended.requests, 0))::BIGINT AS requests
FROM join_tracebacks AS traces
ASOF LEFT JOIN begun ON begun.server = traces.server AND traces.t_high_ns >= begun.from_ns
ASOF LEFT JOIN ended ON ended.server = traces.server AND traces.t_low_ns > ended.to_ns
