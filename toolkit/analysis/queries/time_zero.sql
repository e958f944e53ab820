-- The second in which the first request began: where the timeline begins.
SELECT min(start_ns) // 1000000000 AS t FROM requests
