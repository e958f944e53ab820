-- One quantile of what was observed, exact; of what ended from $from_ns to before $to_ns.
SELECT quantile_cont(value, $quantile::DOUBLE) AS value, count(*) AS samples
FROM check_observed($measure, $protocols, $phases, $names, $scenarios, $methods, $codes)
WHERE end_ns >= $from_ns AND end_ns < $to_ns
