-- Births and deaths of one server's workers, in order of time.
SELECT t_ns, pid, create_time, what, cause, cause_words, certainty, evidence, source, position
FROM worker_events
WHERE server = $server
ORDER BY t_ns, pid, what = 'died'
