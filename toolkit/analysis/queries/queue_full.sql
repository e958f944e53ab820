-- In how many lines of one server's the accept queue had reached its limit: Linux refuses from there on.
SELECT count(*) FILTER (queue >= "limit") AS full
FROM (
    SELECT t_ns, max(value) FILTER (name = 'accept_queue') AS queue, max(value) FILTER (name = 'accept_queue_limit') AS "limit"
    FROM metrics
    WHERE server = $server AND scope = 'service' AND t_ns BETWEEN $from_ns AND $to_ns
    GROUP BY t_ns
)
WHERE "limit" > 0
