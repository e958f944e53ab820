-- One row a request. A record without a name is called after what it asked for. `request_no` counts from 1 in order of start: the
-- same records give the same numbers, however often and on however many cores the table is built. `failed`: no answer, a failed
-- check, or a status of 400 and above that was not `accepted`.
SELECT
    row_number() OVER (ORDER BY start_ns, end_ns, load, request_id) AS request_no,
    * EXCLUDE (filename, problem) REPLACE (
        coalesce(name, nullif(concat_ws(' ', method, url), ''), '(unnamed)') AS name,
        coalesce(scenario, '(unnamed)') AS scenario,
        coalesce(protocol, '') AS protocol,
        coalesce(accepted, false) AND error IS NULL AND coalesce(status >= 400, false) AS accepted
    ),
    error IS NOT NULL OR coalesce(status >= 400 AND NOT coalesce(accepted, false), false) AS failed,
    (end_ns - start_ns) / 1e6 AS latency_ms
FROM staged
WHERE problem IS NULL
