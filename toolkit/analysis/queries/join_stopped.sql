-- Of each server: when the last of its workers died, where gunicorn ended with it and none was born later; else null.
SELECT
    server,
    CASE
        WHEN max(t_ns) FILTER (what = 'died' AND cause = 'shutdown') >= max(t_ns)
            AND count(*) FILTER (what = 'died') >= count(*) FILTER (what <> 'died')
        THEN max(t_ns)
    END AS stopped_ns
FROM worker_events
GROUP BY server
