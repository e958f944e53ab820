-- Workers that were there at the start, that were born, and that died, and why.
SELECT server, t_ns, what, coalesce(cause, 'unknown') AS cause
FROM worker_events
ORDER BY t_ns
