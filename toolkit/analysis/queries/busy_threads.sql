-- How much of each chunk each worker was inside a request. $serving: frames that make a stack one; $pooled: frames of threads that
-- run only requests, unless their innermost frame is one of $waiting.
-- How often a process was looked at is the largest count of one of its threads (its main thread is there each time). Threads are
-- not seen together, so a worker's share takes their times as independent: 1 - (1 - a)(1 - b)…; of one thread it is exact.
WITH marked AS (
    SELECT
        stack_id,
        list_has_any(frames, $serving::VARCHAR[])
        OR (list_has_any(frames, $pooled::VARCHAR[]) AND NOT list_contains($waiting::VARCHAR[], frames[-1])) AS busy
    FROM stacks
),
threads AS (
    SELECT
        seq, any_value(start_ns) AS start_ns, any_value(end_ns) AS end_ns, pid, tid,
        sum("count") AS samples,
        coalesce(sum("count") FILTER (busy), 0) AS busy
    FROM samples
    JOIN marked USING (stack_id)
    WHERE server = $server AND view = 'wall' AND pid IS NOT NULL AND pid <> root
        AND pid NOT IN (SELECT pid FROM metrics WHERE server = $server AND role = 'arbiter')  -- of an upgrade
    GROUP BY seq, pid, tid
),
shares AS (
    SELECT *, busy / max(samples) OVER (PARTITION BY seq, pid) AS share FROM threads
)
SELECT seq, any_value(start_ns) AS start_ns, any_value(end_ns) AS end_ns, pid, 1 - product(1 - share) AS share, sum(share) AS threads
FROM shares
GROUP BY seq, pid
ORDER BY seq, pid
