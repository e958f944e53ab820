-- The id that a server gave a request by itself, and said in its answer: its logs have it in place of the one that was sent. One that
-- was given to several requests, or was also sent, tells nothing.
CREATE TABLE answered_ids AS
SELECT answered_id, any_value(request_id) AS request_id
FROM requests
WHERE answered_id IS NOT NULL AND answered_id <> '' AND request_id IS NOT NULL
    AND answered_id NOT IN (SELECT request_id FROM requests WHERE request_id IS NOT NULL)
GROUP BY answered_id
HAVING count(*) = 1
