-- What the kernel counted as CPU time of gunicorn's processes while a view was recorded; null where it was not measured.
WITH span AS (
    SELECT min(start_ns) AS from_ns, max(end_ns) AS to_ns FROM chunks WHERE server = $server AND view = $view
),
sums AS (
    SELECT t_ns, sum(value) AS cores
    FROM metrics, span
    WHERE server = $server AND scope = 'process' AND name IN ('cpu_user', 'cpu_system') AND t_ns BETWEEN from_ns AND to_ns
    GROUP BY t_ns
),
stretches AS (SELECT cores, t_ns - lag(t_ns) OVER (ORDER BY t_ns) AS gap_ns FROM sums)
SELECT sum(cores * gap_ns) / 1e9 AS cpu_s FROM stretches
