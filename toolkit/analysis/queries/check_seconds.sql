-- What was observed in every window of $window seconds that begins a whole number of seconds after $from_ns and ends by
-- second $seconds. A request counts in the second in which it ended; a second without one is there all the same.
WITH seconds AS (
    SELECT (end_ns - $from_ns) // 1000000000 AS t, count(*) AS samples, sum(value) AS total, min(value) AS low, max(value) AS high
    FROM check_observed($measure, $protocols, $phases, $names, $scenarios, $methods, $codes)
    GROUP BY t
),
grid AS (SELECT unnest(range($seconds)) AS t),
windows AS (
    SELECT
        t - $window + 1 AS first,
        sum(coalesce(samples, 0)) OVER looked AS samples,
        sum(coalesce(total, 0)) OVER looked AS total,
        min(low) OVER looked AS low,
        max(high) OVER looked AS high
    FROM grid
    LEFT JOIN seconds USING (t)
    WINDOW looked AS (ORDER BY t ROWS BETWEEN ($window - 1) PRECEDING AND CURRENT ROW)
)
SELECT * FROM windows WHERE first >= 0 ORDER BY first
