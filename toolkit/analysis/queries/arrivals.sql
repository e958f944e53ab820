-- Virtual users second by second: when the arrival schedule meant each to begin (offered), and when its first request did (arrived).
WITH users AS (
    SELECT arg_min(coalesce(intended_ns, start_ns), start_ns) AS intended_ns, min(start_ns) AS start_ns
    FROM requests
    WHERE "user" IS NOT NULL
    GROUP BY load, "user"
)
SELECT t, count(*) FILTER (what = 'offered') AS offered, count(*) FILTER (what = 'arrived') AS arrived
FROM (
    SELECT intended_ns // 1000000000 AS t, 'offered' AS what FROM users
    UNION ALL
    SELECT start_ns // 1000000000 AS t, 'arrived' AS what FROM users
)
GROUP BY t
ORDER BY t
