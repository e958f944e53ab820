-- Tracebacks by fingerprint, the most frequent $most. The example is the first of each.
WITH grouped AS (
    SELECT
        coalesce(fingerprint, '') AS fingerprint,
        count(*) AS tracebacks,
        count(*) FILTER (coalesce(perhaps_quoted, false)) AS quoted,
        min(t_ns) AS first_ns,
        max(t_ns) AS last_ns,
        list_sort(list(DISTINCT server)) AS servers,
        min_by(exception, (t_ns, position)) AS exception,
        min_by(place, (t_ns, position)) AS place,
        mode(message) AS message,
        min_by({'chain': chain, 'server': server, 'file': file, 'source': source, 'position': position}, (t_ns, position)) AS example
    FROM log_events
    WHERE kind = 'traceback'
    GROUP BY ALL
)
SELECT *, count(*) OVER () AS fingerprints
FROM grouped
ORDER BY tracebacks DESC, first_ns, fingerprint
LIMIT $most
