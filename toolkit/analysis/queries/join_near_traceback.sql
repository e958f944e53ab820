-- Requests that the server itself answered with a failure, without a traceback, while one was written that may as well be theirs
-- as that of the request which it was given to. $margin_ns: how far the clocks may differ.
CREATE TABLE join_near_traceback AS
WITH loose AS (
    SELECT traces.server, coalesce(traces.path, '') AS path, traces.t_low_ns, traces.t_high_ns
    FROM join_traced AS traced
    JOIN join_tracebacks AS traces USING (trace_no)
    WHERE traced.certainty = 'ambiguous'
),
begun AS (
    SELECT server, path, t_low_ns, sum(count(*)) OVER (PARTITION BY server, path ORDER BY t_low_ns) AS tracebacks
    FROM loose GROUP BY server, path, t_low_ns
),
ended AS (
    SELECT server, path, t_high_ns, sum(count(*)) OVER (PARTITION BY server, path ORDER BY t_high_ns) AS tracebacks
    FROM loose GROUP BY server, path, t_high_ns
),
asked AS (
    SELECT
        request_no, server, unnest(list_distinct(['', path])) AS path,
        start_ns - $margin_ns AS from_ns, end_ns + $margin_ns AS to_ns
    FROM join_unexplained
    ANTI JOIN join_traced USING (request_no)
    WHERE server_failed
)
SELECT asked.request_no
FROM asked
ASOF LEFT JOIN begun ON begun.server = asked.server AND begun.path = asked.path AND asked.to_ns >= begun.t_low_ns
ASOF LEFT JOIN ended ON ended.server = asked.server AND ended.path = asked.path AND asked.from_ns > ended.t_high_ns
GROUP BY asked.request_no
HAVING sum(coalesce(begun.tracebacks, 0) - coalesce(ended.tracebacks, 0)) > 0
