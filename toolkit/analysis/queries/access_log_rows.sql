-- The access logs, and whether requests were found in them by id.
SELECT
    logs.*,
    coalesce(found.by_id, 0) AS by_id,
    coalesce(found.joined, 0) AS joined
FROM access_logs AS logs
LEFT JOIN (
    SELECT server, source, count(*) FILTER (joined_by = 'id') AS by_id, count(*) AS joined FROM joined GROUP BY server, source
) AS found USING (server, source)
ORDER BY logs.server, logs.layer
