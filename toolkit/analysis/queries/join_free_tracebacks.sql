-- shared: it may as well be of a request that did not fail.
-- Those of $site if it is not null. The tracebacks that no request has yet, and whose id is no other request's; $repeats: an id that stands more often names nothing.
SELECT
    hash(path) AS key, trace_no, t_low_ns, t_high_ns, method, server, fingerprint,
    NOT of_failure AND held.requests > 1 AS shared,
    lineless, quoted
FROM join_tracebacks AS traces
JOIN join_held AS held USING (trace_no)
ANTI JOIN join_traced AS used ON used.trace_no = traces.trace_no
ANTI JOIN (
    SELECT requests.request_id
    FROM join_requests AS requests
    LEFT JOIN join_repeated AS repeated USING (request_id)
    WHERE coalesce(repeated.times, 1) <= $repeats
) AS named ON named.request_id = traces.request_id
WHERE ($site IS NULL OR traces.site = $site)
    AND (traces.path IS NOT NULL) = $by_path
    AND (NOT $by_path OR traces.path IN (SELECT path FROM join_unexplained))
ORDER BY if($by_path, key, 0), t_low_ns, trace_no
