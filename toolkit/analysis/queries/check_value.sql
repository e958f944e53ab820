-- What was observed, as a whole.
SELECT
    count(*) AS samples, sum(value) AS total, avg(value) AS mean, min(value) AS min, max(value) AS max,
    stddev_samp(value) AS stdev, min(start_ns) AS from_ns, max(end_ns) AS to_ns
FROM check_observed($measure, $protocols, $phases, $names, $scenarios, $methods, $codes)
