-- How many requests there are, and from when to when.
SELECT
    count(*) AS requests,
    count(*) FILTER (protocol = 'http') AS http,
    count(*) FILTER (protocol <> 'http') AS other,
    min(start_ns) AS from_ns,
    max(end_ns) AS to_ns
FROM requests
