-- HTTP requests of $site still without a line. $named: those with an id of their own, or those without one. $loose: only those that a server
-- may have ended otherwise than the client saw: no answer, or one that a proxy may have given; recognised without their status.
-- $late: statuses after which the server may still be at work.
CREATE OR REPLACE TABLE join_open_requests AS
SELECT
    hash(requests.method, requests.path, if($loose, NULL, requests.status)) AS key,
    requests.request_no, requests.start_ns, requests.end_ns,
    (requests.status IS NULL OR list_contains($late, requests.status)) AND NOT requests.at_once AS late
FROM join_requests AS requests
ANTI JOIN join_matches AS taken ON taken.request_no = requests.request_no
LEFT JOIN join_repeated AS repeated ON repeated.request_id = requests.request_id
WHERE requests.protocol = 'http'
    AND requests.sent
    AND requests.site IS NOT DISTINCT FROM $site
    AND if($loose, requests.status IS NULL OR requests.status >= 500 AND NOT requests.at_once, requests.status IS NOT NULL)
    AND (requests.request_id IS NOT NULL AND coalesce(repeated.times, 1) <= $most) = $named
