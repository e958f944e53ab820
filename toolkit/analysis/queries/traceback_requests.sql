-- Beside which requests the tracebacks of each fingerprint stand.
SELECT
    fingerprint, name, status, if(status IS NULL, error, NULL) AS error, count(*) AS requests,
    count(*) FILTER (traceback_certainty = 'certain') AS certain,
    count(*) FILTER (traceback_certainty = 'likely') AS likely,
    count(*) FILTER (traceback_certainty = 'ambiguous') AS ambiguous
FROM joined
WHERE fingerprint IS NOT NULL
GROUP BY ALL
ORDER BY requests DESC, name, status, error
