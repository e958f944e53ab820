-- How many requests there are, and from when to when; calls: whole repetitions by a client's own code.
SELECT
    count(*) AS requests,
    count(*) FILTER (protocol = 'http') AS http,
    count(*) FILTER (protocol NOT IN ('http', 'call')) AS other,
    count(*) FILTER (protocol = 'call') AS calls,
    min(start_ns) AS from_ns,
    max(end_ns) AS to_ns
FROM requests
