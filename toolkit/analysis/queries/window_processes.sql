-- Every process that was seen in one view of a server, 0 for samples that name none; the arbiter is its own ancestor.
SELECT coalesce(pid, 0) AS pid, coalesce(bool_or(pid = root), false) AS arbiter
FROM samples
WHERE server = $server AND view = $view
GROUP BY coalesce(pid, 0)
ORDER BY pid
