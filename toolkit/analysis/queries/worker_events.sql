-- Births and deaths of workers, in order of time.
SELECT * EXCLUDE (filename) FROM raw_worker_events ORDER BY server, t_ns, pid, what = 'died'
