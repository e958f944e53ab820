-- Memory and descriptors of each worker of one server over a window, in $points pieces at most: the median of each.
WITH cut AS (
    SELECT pid, name, t_ns, value, (t_ns - $from_ns) * $points // ($to_ns - $from_ns + 1) AS piece
    FROM metrics
    WHERE server = $server AND role = 'worker' AND name IN ('rss', 'descriptors') AND t_ns BETWEEN $from_ns AND $to_ns
),
pieces AS (
    SELECT pid, name, piece, min(t_ns) / 1e9 AS second, median(value) AS value
    FROM cut
    GROUP BY pid, name, piece
)
SELECT pid, name, list(second ORDER BY piece) AS seconds, list(value ORDER BY piece) AS values
FROM pieces
GROUP BY pid, name
ORDER BY pid, name
