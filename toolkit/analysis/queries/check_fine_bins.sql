-- As check_bins.sql, with a thousand bins of one width between $low and $high: bin 0 holds what is below, the last what is above.
SELECT
    (end_ns - $from_ns) // 1000000000 AS t,
    CASE
        WHEN value < $low THEN 0
        WHEN value >= $high THEN 1001
        ELSE 1 + least(999, floor((value - $low) / ($high - $low) * 1000))
    END::INTEGER AS bin,
    count(*) AS samples
FROM check_observed($measure, $protocols, $phases, $names, $scenarios, $methods, $codes)
GROUP BY ALL
ORDER BY ALL
