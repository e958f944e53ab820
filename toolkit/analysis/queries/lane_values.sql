-- What is measured of the host and the service, a row a quantity, second by second: the mean, of the accept queue the largest.
WITH seconds AS (
    SELECT
        t_ns // 1000000000 AS t, scope, name,
        if(any_value(name) = 'accept_queue', max(value), avg(value)) AS value
    FROM metrics
    WHERE server = $server AND scope IN ('host', 'service') AND list_contains($names::VARCHAR[], name)
    GROUP BY t, scope, name
)
SELECT name, list(t) AS seconds, list(value) AS values
FROM seconds
GROUP BY scope, name
