-- Every stack of one view of a server, most seen first.
SELECT stack_id, sum("count")::BIGINT AS samples
FROM samples
WHERE server = $server AND view = $view
GROUP BY stack_id
ORDER BY samples DESC, stack_id
