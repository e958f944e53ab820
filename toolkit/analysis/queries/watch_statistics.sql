-- Each quantity of one server over a window: of the host, of the service, of the arbiter, and of all workers together.
-- $from_ns, $to_ns: inclusive. Sums are of one line's processes; a line in which a worker's CPU time is not yet known leaves it out. Of USS and the
-- limit of descriptors no sum makes sense: they are not read in every line.
WITH lines AS (
    SELECT t_ns, scope || '.' || name AS name, value
    FROM metrics
    WHERE server = $server AND scope <> 'process'
    UNION ALL
    SELECT t_ns, if(role = 'arbiter', 'arbiter.', 'workers.') || name, sum(value)
    FROM metrics
    WHERE server = $server AND scope = 'process' AND name NOT IN ('uss', 'descriptors_limit')
    GROUP BY ALL
    UNION ALL
    SELECT t_ns, if(scope = 'host', 'host.cpu', if(role = 'arbiter', 'arbiter.cpu', 'workers.cpu')), sum(value)
    FROM metrics
    WHERE server = $server AND scope IN ('host', 'process') AND name IN ('cpu_user', 'cpu_system')
    GROUP BY ALL
)
SELECT
    name,
    avg(value) AS mean, max(value) AS max, min(value) AS min, quantile_cont(value, 0.95) AS p95, arg_max(value, t_ns) AS last,
    arg_max(t_ns, (value, -t_ns)) AS max_at_ns, count(*) AS lines, sum(value) AS total
FROM lines
WHERE t_ns BETWEEN $from_ns AND $to_ns
GROUP BY name
ORDER BY name
