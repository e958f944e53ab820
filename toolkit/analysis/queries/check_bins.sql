-- How many values of each second since $from_ns lie in each bin: bin b begins at (10^(b/200) - 1) / 1000, each is 1.2 % wider.
SELECT
    (end_ns - $from_ns) // 1000000000 AS t,
    floor(200 * log10(greatest(value, 0) * 1000 + 1))::INTEGER AS bin,
    count(*) AS samples
FROM check_observed($measure, $protocols, $phases, $names, $scenarios, $methods, $codes)
GROUP BY ALL
ORDER BY ALL
