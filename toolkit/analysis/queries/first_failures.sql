-- Each kind of failure: how often, and when the first and the last of it ended.
SELECT
    status, error, count(*) AS requests, min(end_ns) AS first_ns, max(end_ns) AS last_ns, arg_min(name, end_ns) AS name
FROM requests
WHERE failed
GROUP BY status, error
ORDER BY first_ns, status, error
LIMIT $most
