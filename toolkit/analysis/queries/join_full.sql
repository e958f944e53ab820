-- When a server's accept queue was seen at its limit: Linux turns connections away from there on.
INSERT INTO join_full
SELECT t_ns
FROM (
    SELECT server, t_ns, max(value) FILTER (name = 'accept_queue') AS queue, max(value) FILTER (name = 'accept_queue_limit') AS "limit"
    FROM metrics
    WHERE scope = 'service' AND name IN ('accept_queue', 'accept_queue_limit')
    GROUP BY server, t_ns
)
WHERE "limit" > 0 AND queue >= "limit"
