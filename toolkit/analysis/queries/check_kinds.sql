-- Every combination of what a check may choose requests by, and how many there are of it.
SELECT
    protocol, load, scenario, name, coalesce(phase, '') AS phase, coalesce(method, '') AS method,
    coalesce(status::VARCHAR, 'none') AS code, count(*) AS requests
FROM requests
GROUP BY ALL
ORDER BY ALL
