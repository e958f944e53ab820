-- The most frequent body size of each request name, and of all; of equally frequent ones, the smallest.
WITH counted AS (
    SELECT load, protocol, name, bytes_in, count(*) AS requests
    FROM requests
    WHERE status IS NOT NULL AND bytes_in IS NOT NULL
    GROUP BY GROUPING SETS ((bytes_in), (load, protocol, name, bytes_in))
)
SELECT load, protocol, name, arg_max(bytes_in, (requests, -bytes_in)) AS bytes_in_mode
FROM counted
GROUP BY load, protocol, name
