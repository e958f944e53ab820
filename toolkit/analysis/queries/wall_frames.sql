-- Each frame of one server's wall view once.
SELECT DISTINCT unnest(frames) AS frame
FROM stacks
WHERE stack_id IN (SELECT stack_id FROM samples WHERE server = $server AND view = 'wall')
