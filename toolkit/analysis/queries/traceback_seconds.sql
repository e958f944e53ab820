-- Tracebacks of each fingerprint, second by second; $shown: of these alone.
SELECT coalesce(fingerprint, '') AS fingerprint, t_ns // 1000000000 AS t, count(*) AS tracebacks
FROM log_events
WHERE kind = 'traceback' AND t_ns IS NOT NULL AND list_contains($shown, coalesce(fingerprint, ''))
GROUP BY ALL
ORDER BY fingerprint, t
