-- Each worker of one server over a window.
WITH lines AS (
    SELECT
        t_ns, pid,
        sum(value) FILTER (name IN ('cpu_user', 'cpu_system')) AS cpu,
        max(value) FILTER (name = 'rss') AS rss,
        max(value) FILTER (name = 'uss') AS uss,
        max(value) FILTER (name = 'threads') AS threads,
        max(value) FILTER (name = 'descriptors') AS descriptors,
        sum(value) FILTER (name IN ('switches_voluntary', 'switches_involuntary')) AS switches,
        sum(value) FILTER (name IN ('io_read', 'io_write')) AS io
    FROM metrics
    WHERE server = $server AND role = 'worker' AND t_ns BETWEEN $from_ns AND $to_ns
    GROUP BY t_ns, pid
)
SELECT
    pid,
    avg(cpu) AS cpu_mean, max(cpu) AS cpu_max, max(rss) AS rss_max, arg_max(rss, t_ns) AS rss_last,
    arg_max(uss, t_ns) AS uss_last, max(threads) AS threads_max, max(descriptors) AS descriptors_max,
    avg(switches) AS switches_per_s, avg(io) AS io_per_s
FROM lines
GROUP BY pid
ORDER BY pid
