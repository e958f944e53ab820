-- How often each error was met, most often first.
SELECT error, count(*) AS requests
FROM requests
WHERE error IS NOT NULL
GROUP BY error
ORDER BY requests DESC, error
