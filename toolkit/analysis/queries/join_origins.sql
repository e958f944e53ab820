-- The request names of each address that was asked, and whether the access logs are of what answers them: then hardly an answer is
-- without a line. What something in front answers (static files, a cache) is not, nor is another service.
-- $target: the run's own address, whose logs they are meant to be where nothing speaks against it.
CREATE TABLE join_origins AS
WITH seen AS (
    SELECT
        requests.origin, requests.load, requests.name,
        best.request_no IS NOT NULL AS joined,
        coalesce(requests.status BETWEEN 1 AND 399 AND requests.end_ns <= covered.to_ns, false) AS answered
    FROM join_requests AS requests
    LEFT JOIN join_best AS best USING (request_no)
    ASOF LEFT JOIN join_covered AS covered ON requests.start_ns >= covered.from_ns
    WHERE requests.protocol = 'http' AND requests.origin IS NOT NULL
),
names AS (
    SELECT
        origin, load, name,
        bool_or(joined) AS joined,
        count(*) FILTER (answered) AS answered,
        count(*) FILTER (answered AND NOT joined) AS unseen
    FROM seen
    GROUP BY origin, load, name
),
origins AS (
    SELECT
        origin,
        bool_or(joined) OR sum(unseen) = 0 AND (count(*) OVER () = 1 OR origin = $target) AS known
    FROM names
    GROUP BY origin
)
SELECT names.origin, names.load, names.name, origins.known AND names.unseen <= 0.02 * names.answered AS known
FROM names
JOIN origins USING (origin)
