-- What all processes of each gunicorn hold together, in $points pieces of [$from_ns, $to_ns): the median of each.
WITH lines AS (
    SELECT server, name, t_ns, sum(value) AS value
    FROM metrics
    WHERE scope = 'process' AND name IN ('rss', 'descriptors', 'threads') AND t_ns >= $from_ns AND t_ns < $to_ns
    GROUP BY ALL
)
SELECT server, name, (t_ns - $from_ns) * $points // ($to_ns - $from_ns) AS piece, median(value) AS value
FROM lines
GROUP BY ALL
ORDER BY server, name, piece
