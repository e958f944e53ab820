-- Requests that ended in [$start_s, $end_s), whole seconds since 1970; null: no bound.
SELECT count(*) AS requests
FROM requests
WHERE ($start_s IS NULL OR end_ns // 1000000000 >= $start_s) AND ($end_s IS NULL OR end_ns // 1000000000 < $end_s)
