-- Sampled time of each stack in the picked chunks of one view: whole microseconds, one unit a sample. $blocks: any number a
-- chunk, to have the sums of each apart. $worker: a PID, 0 for samples that name no process, or null for all.
WITH picked AS (
    SELECT unnest($seqs::INTEGER[]) AS seq, unnest($units::BIGINT[]) AS unit, unnest($blocks::INTEGER[]) AS block
)
SELECT block, stack_id, sum("count" * unit)::BIGINT AS us, sum("count")::BIGINT AS samples
FROM samples
JOIN picked USING (seq)
WHERE server = $server
    AND view = $view
    AND ($worker IS NULL OR coalesce(pid, 0) = $worker)
GROUP BY block, stack_id
ORDER BY block, stack_id
