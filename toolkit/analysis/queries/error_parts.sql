-- The failed requests by how they failed ($most of these), and within that by what explains them.
WITH failures AS (
    SELECT
        CASE
            WHEN status IS NULL THEN 'error'
            WHEN status >= 400 THEN 'status'
            WHEN list_contains($closed, coalesce(error, '')) THEN 'cut'
            ELSE 'check'
        END AS kind,
        if(status >= 400, status, NULL) AS shown_status,
        if(status >= 400, NULL, coalesce(error, '')) AS shown_error,
        * EXCLUDE (status, error)
    FROM joined
    WHERE failed
),
kinds AS (
    SELECT kind, shown_status, shown_error, count(*) AS kind_requests
    FROM failures
    GROUP BY ALL
    ORDER BY kind_requests DESC, kind, shown_status, shown_error
    LIMIT $most
)
SELECT
    kinds.kind, kinds.shown_status AS status, kinds.shown_error AS error, kinds.kind_requests,
    failures.what, failures.why,
    if(failures.what IN ('traceback', 'timeout', 'killed') OR failures.why = 'raised_later', failures.fingerprint, NULL) AS fingerprint,
    if(failures.what IN ('gave_up', 'proxy'), failures.access_status, NULL) AS access_status,
    if(failures.what IN ('timeout', 'killed'), failures.event, NULL) AS cause,
    failures.what_certainty,
    count(*) AS requests,
    bool_and(failures.joined_by = 'id') AS by_id,
    max(failures.server_ms) AS longest_ms,
    list(DISTINCT failures.event_pid) FILTER (failures.event_pid IS NOT NULL) AS pids,
    min(failures.event_pid) AS pid
FROM failures
JOIN kinds
    ON failures.kind = kinds.kind
    AND failures.shown_status IS NOT DISTINCT FROM kinds.shown_status
    AND failures.shown_error IS NOT DISTINCT FROM kinds.shown_error
GROUP BY ALL
ORDER BY kinds.kind_requests DESC, kinds.kind, kinds.shown_status, kinds.shown_error, requests DESC, failures.what
