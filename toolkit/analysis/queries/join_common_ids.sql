-- Ids that name nothing, as too many requests have them; no row where there are none.
SELECT count(*) AS requests, count(DISTINCT requests.request_id) AS ids, min(requests.request_id) AS example
FROM join_requests AS requests
JOIN join_repeated AS repeated USING (request_id)
WHERE repeated.times > $most
HAVING count(*) > 0
