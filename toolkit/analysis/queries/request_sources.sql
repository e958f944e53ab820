-- What each requests file held.
SELECT
    filename AS file,
    count(*) FILTER (problem IS NULL) AS records,
    count(*) FILTER (problem = 'unreadable') AS unreadable,
    count(*) FILTER (problem = 'implausible') AS implausible
FROM staged
GROUP BY filename
