-- Until when every server's accept queue was seen empty; null where none was watched.
SELECT min(empty_ns) AS empty_ns
FROM (
    SELECT coalesce(max(t_ns) FILTER (value = 0), 0) AS empty_ns
    FROM metrics
    WHERE scope = 'service' AND name = 'accept_queue'
    GROUP BY server
)
