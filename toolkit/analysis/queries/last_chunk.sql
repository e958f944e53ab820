-- Until when a server's stacks were recorded.
SELECT max(end_ns) AS last_ns FROM chunks WHERE server = $server
