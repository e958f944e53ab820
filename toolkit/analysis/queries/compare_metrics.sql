-- One server in slices of a phase: CPU seconds of gunicorn's processes, memory of its workers, accept queue. Sums over the lines of
-- a slice and how many lines there were. $start_ns, $end_ns, $length_ns (of a slice), $slices.
-- A line without the CPU time of any process (the first after a gap) is no line of CPU.
WITH lines AS (
    SELECT
        t_ns,
        sum(value) FILTER (scope = 'process' AND name IN ('cpu_user', 'cpu_system')) AS cores,
        sum(value) FILTER (scope = 'process' AND name = 'rss' AND role = 'worker') AS rss,
        max(value) FILTER (scope = 'service' AND name = 'accept_queue') AS accept_queue
    FROM metrics
    WHERE server = $server AND t_ns >= $start_ns AND t_ns < $end_ns
    GROUP BY t_ns
)
SELECT
    least($slices - 1, floor((t_ns - $start_ns) / $length_ns))::INTEGER AS slice,
    coalesce(sum(cores), 0) AS cores, count(cores) AS cores_lines,
    coalesce(sum(rss), 0) AS rss, count(rss) AS rss_lines,
    coalesce(sum(accept_queue), 0) AS accept_queue, count(accept_queue) AS accept_queue_lines
FROM lines
GROUP BY slice
ORDER BY slice
