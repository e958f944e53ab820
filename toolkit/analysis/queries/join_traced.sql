-- Tracebacks that carry a request's id; of several the last, which is the one that got out. An id that names several requests
-- (redirects) is that of the one which failed there.
CREATE TABLE join_traced AS
SELECT requests.request_no, max_by(traces.trace_no, traces.t_ns) AS trace_no, 'certain' AS certainty, count(*) AS candidates
FROM join_tracebacks AS traces
JOIN join_requests AS requests ON requests.request_id = traces.request_id
LEFT JOIN join_repeated AS repeated ON repeated.request_id = traces.request_id
WHERE repeated.times IS NULL
    OR repeated.times <= $most AND requests.failed AND (traces.path IS NULL OR traces.path = requests.path)
GROUP BY requests.request_no
