-- The last word of each generator on its virtual users (its counters are cumulative).
SELECT
    load,
    arg_max(created, t_ns) AS created,
    arg_max(completed, t_ns) AS completed,
    arg_max(failed, t_ns) AS failed,
    arg_max(skipped, t_ns) AS skipped,
    arg_max(errors, t_ns) AS errors,
    arg_max(unanswered, t_ns) AS unanswered
FROM load_events
WHERE kind = 'users' AND created IS NOT NULL
GROUP BY load
ORDER BY load
