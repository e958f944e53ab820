-- For each failed or slow request the other lines with its id, the first few.
CREATE TABLE join_others AS
WITH worth AS (
    SELECT requests.request_no, requests.request_id
    FROM join_requests AS requests
    LEFT JOIN join_slow AS slow USING (request_no)
    LEFT JOIN join_repeated AS repeated ON repeated.request_id = requests.request_id
    WHERE requests.request_id IS NOT NULL
        AND (requests.failed OR slow.request_no IS NOT NULL)
        AND coalesce(repeated.times, 1) <= $most
)
SELECT
    worth.request_no,
    list({'server': events.server, 'source': events.source, 'position': events.position} ORDER BY events.t_ns, events.position)[:10]
        AS lines
FROM worth
JOIN log_events AS events ON events.request_id = worth.request_id
LEFT JOIN join_best AS best ON best.request_no = worth.request_no
LEFT JOIN join_lines AS joined ON joined.line_no = best.line_no
LEFT JOIN join_traced AS traced ON traced.request_no = worth.request_no
LEFT JOIN join_tracebacks AS traces ON traces.trace_no = traced.trace_no
WHERE NOT coalesce(
        events.server = joined.server AND events.source = joined.source AND events.position = joined.position, false
    )
    AND NOT coalesce(
        events.server = traces.server AND events.source = traces.source AND events.position = traces.position, false
    )
GROUP BY worth.request_no
