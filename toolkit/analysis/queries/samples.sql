-- How often a thread was seen with a stack, per chunk. In the middle of an upgrade the new arbiter is seen as a child of the old:
-- one that was seen as its own root at any time is an arbiter, and no worker.
WITH arbiters AS (
    SELECT DISTINCT chunks.server, counted.pid
    FROM raw_samples AS counted
    JOIN raw_chunks AS chunks USING (chunk)
    WHERE counted.pid = counted.root
)
SELECT
    chunks.server, chunks.view, chunks.seq, chunks.start_ns, chunks.end_ns, chunks.rate_hz,
    counted.pid, if(arbiters.pid IS NULL, counted.root, counted.pid) AS root, threads.tid, threads.thread, counted.stack_id, counted.count
FROM raw_samples AS counted
JOIN raw_chunks AS chunks USING (chunk)
JOIN raw_threads AS threads USING (thread_id)
LEFT JOIN arbiters ON arbiters.server = chunks.server AND arbiters.pid = counted.pid
