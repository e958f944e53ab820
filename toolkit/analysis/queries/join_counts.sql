-- HTTP requests by how surely their line was found, and requests of other protocols that were looked at.
SELECT protocol = 'http' AS http, joined_by, certainty, count(*) AS requests
FROM joined
GROUP BY ALL
ORDER BY ALL
