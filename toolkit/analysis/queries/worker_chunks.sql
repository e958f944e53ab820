-- In which chunks each process was seen.
SELECT pid, list(DISTINCT seq) AS seqs
FROM samples
WHERE server = $server AND view = $view
GROUP BY pid
