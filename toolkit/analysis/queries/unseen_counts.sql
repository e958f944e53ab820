-- How many requests a line was expected of, and how many were never sent.
SELECT
    count(*) FILTER (expected) AS expected,
    count(*) FILTER (what = 'refused') AS refused,
    count(*) FILTER (what = 'unknown' AND protocol = 'http') AS unknown
FROM joined
