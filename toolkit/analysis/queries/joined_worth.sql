-- Requests worth showing: the $slow slowest, and $failed failed ones, some of each kind of failure.
WITH kinds AS (
    SELECT
        request_no,
        row_number() OVER (PARTITION BY status, error, what, fingerprint ORDER BY start_ns, request_no) AS nth
    FROM joined
    WHERE failed
),
worth AS (
    SELECT request_no, 'failed' AS shown_as, row_number() OVER (ORDER BY nth, request_no) AS rank FROM kinds
    QUALIFY rank <= $failed
    UNION ALL
    SELECT request_no, 'slow', row_number() OVER (ORDER BY end_ns - start_ns DESC, request_no) AS rank
    FROM joined
    WHERE slow AND status IS NOT NULL
    QUALIFY rank <= $slow
)
SELECT
    worth.shown_as, worth.rank, requests.request_no, requests.load, requests.protocol, requests.scenario, requests.name,
    requests.method, requests.url, requests.phase, requests.user, requests.request_id, requests.start_ns, requests.end_ns,
    requests.latency_ms, requests.status, requests.error,
    joined.* EXCLUDE (request_no, load, protocol, name, status, error, start_ns, end_ns)
FROM worth
JOIN joined USING (request_no)
JOIN requests USING (request_no)
ORDER BY worth.shown_as, worth.rank
