-- What each process did in each picked chunk: nodes where its stacks end, ascending, and how often each was seen.
-- $numbers: the number to give each picked chunk. $stacks, $nodes: the node of each stack that counts; others are left out.
WITH picked AS (
    SELECT unnest($seqs::INTEGER[]) AS seq, unnest($numbers::INTEGER[]) AS number
),
places AS (
    SELECT unnest($stacks::INTEGER[]) AS stack_id, unnest($nodes::INTEGER[]) AS node
),
counted AS (
    SELECT number, coalesce(pid, 0) AS pid, node, sum("count")::BIGINT AS n
    FROM samples
    JOIN picked USING (seq)
    JOIN places USING (stack_id)
    WHERE server = $server AND view = $view
    GROUP BY ALL
)
SELECT number, pid, list(node ORDER BY node) AS nodes, list(n ORDER BY node) AS counts
FROM counted
GROUP BY number, pid
ORDER BY number, pid
