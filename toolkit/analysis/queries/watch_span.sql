-- Per server: from when to when it was measured, how many lines, and how far apart they mostly are.
WITH lines AS (SELECT DISTINCT server, t_ns FROM metrics),
gaps AS (SELECT server, t_ns, t_ns - lag(t_ns) OVER (PARTITION BY server ORDER BY t_ns) AS gap_ns FROM lines)
SELECT server, min(t_ns) AS first_ns, max(t_ns) AS last_ns, count(*) AS lines, median(gap_ns) / 1e9 AS interval_s
FROM gaps
GROUP BY server
ORDER BY server
