-- What the kernel counted as CPU time of gunicorn's processes in the seconds of which a view has samples; null where it was not
-- measured in a tenth of them or more. A chunk that was lost is no such second. What was not measured is taken to be as the rest.
WITH kept AS (
    SELECT start_ns, end_ns FROM chunks
    WHERE server = $server AND view = $view AND counted IS NOT NULL AND start_ns IS NOT NULL AND end_ns > start_ns
),
recorded AS (
    SELECT start_ns, least(end_ns, coalesce(lead(start_ns) OVER (ORDER BY start_ns), end_ns)) AS end_ns FROM kept
),
sums AS (
    SELECT t_ns, sum(value) AS cores
    FROM metrics
    WHERE server = $server AND scope = 'process' AND name IN ('cpu_user', 'cpu_system')
    GROUP BY t_ns
),
stretches AS (SELECT cores, lag(t_ns) OVER (ORDER BY t_ns) AS from_ns, t_ns AS to_ns FROM sums),
met AS (
    SELECT cores, least(to_ns, end_ns) - greatest(from_ns, start_ns) AS both_ns
    FROM stretches JOIN recorded ON from_ns < end_ns AND to_ns > start_ns
),
measured AS (SELECT coalesce(sum(both_ns), 0) AS both_ns, sum(cores * both_ns) AS cpu_ns FROM met),
whole AS (SELECT coalesce(sum(end_ns - start_ns), 0) AS all_ns FROM recorded)
SELECT CASE WHEN both_ns > 0 AND both_ns >= 0.9 * all_ns THEN cpu_ns / both_ns * all_ns / 1e9 END AS cpu_s
FROM measured, whole
