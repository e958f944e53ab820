-- Failed requests that a worker's end may have cut short: without a line of the server, or with the traceback of the exit.
SELECT
    unexplained.request_no, unexplained.start_ns, unexplained.end_ns, unexplained.late,
    unexplained.status IS NOT NULL AS answered, unexplained.closed, coalesce(unexplained.status = 502, false) AS bad_gateway, unexplained.site, traces.server, traces.pid, traces.t_ns, traced.certainty,
    traces.message
FROM join_unexplained AS unexplained
LEFT JOIN join_traced AS traced USING (request_no)
LEFT JOIN join_tracebacks AS traces ON traces.trace_no = traced.trace_no
WHERE traced.request_no IS NULL AND NOT (unexplained.settled OR unexplained.apart) OR traces.exception = 'SystemExit'
ORDER BY unexplained.start_ns, unexplained.request_no
LIMIT $most
