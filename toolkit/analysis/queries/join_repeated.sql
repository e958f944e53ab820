-- The ids that name more than one request or more than one line of a layer: redirects carry their first request's id, a proxy that
-- tries again sends the same one, and a scenario may set one id for all.
CREATE TABLE join_repeated AS
SELECT request_id, max(times) AS times
FROM (
    SELECT request_id, count(*) AS times
    FROM join_requests
    WHERE request_id IS NOT NULL
    GROUP BY request_id
    HAVING count(*) > 1
    UNION ALL
    SELECT request_id, count(*)
    FROM join_lines
    WHERE request_id IS NOT NULL
    GROUP BY layer, request_id
    HAVING count(*) > 1
)
GROUP BY request_id
