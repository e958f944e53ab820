-- The methods and paths of which lines were given by time, to requests that something in front gave up, and any of several fitted.
-- $late: statuses with which something in front of a server answers for it.
CREATE TABLE join_mixed AS
SELECT DISTINCT requests.method, requests.path
FROM join_best AS best
JOIN join_requests AS requests USING (request_no)
WHERE best.certainty = 'ambiguous' AND list_contains($late, requests.status) AND requests.path IS NOT NULL
