-- CPU (cores, user and system) and resident memory, a row a worker, second by second.
WITH lines AS (
    SELECT
        t_ns, pid,
        sum(value) FILTER (name IN ('cpu_user', 'cpu_system')) AS cpu,
        max(value) FILTER (name = 'rss') AS rss
    FROM metrics
    WHERE server = $server AND role = 'worker' AND name IN ('cpu_user', 'cpu_system', 'rss')
    GROUP BY t_ns, pid
),
seconds AS (SELECT pid, t_ns // 1000000000 AS t, avg(cpu) AS cpu, max(rss) AS rss FROM lines GROUP BY pid, t)
SELECT pid, list(t) AS seconds, list(cpu) AS cpu, list(rss) AS rss
FROM seconds
GROUP BY pid
ORDER BY pid
