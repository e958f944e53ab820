-- Sampled time of each process and stack: a sample stands for 1000 / rate milliseconds of its chunk.
-- $server, $view; $worker, $start_ns and $end_ns may be null. A chunk belongs to a window in which its middle lies.
-- Samples of a chunk whose rate is not known have no time.
SELECT
    pid,
    any_value(root) AS root,
    stack_id,
    sum("count")::BIGINT AS samples,
    coalesce(sum("count" * 1000.0 / rate_hz), 0) AS ms
FROM samples
WHERE server = $server
    AND view = $view
    AND ($worker IS NULL OR pid = $worker)
    AND ($start_ns IS NULL OR start_ns + (end_ns - start_ns) // 2 >= $start_ns)
    AND ($end_ns IS NULL OR start_ns + (end_ns - start_ns) // 2 < $end_ns)
GROUP BY pid, stack_id
ORDER BY pid, stack_id
