-- Until when a server's metrics came.
SELECT max(t_ns) AS last_ns FROM metrics WHERE server = $server
