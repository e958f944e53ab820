-- Access lines, in the time of the load, that no request of the load is joined to; by path, most often first.
-- whose: 'canary' ($canary: its User-Agent, and the beginning of its ids); 'other' traffic; 'repeated': another line with the id of a request; 'websocket': not told apart without an id.
WITH sockets AS (
    SELECT DISTINCT regexp_extract(url, '^(?:[A-Za-z+.-]+://[^/?#]*)?([^?#]*)', 1) AS path
    FROM requests
    WHERE protocol <> 'http' AND url IS NOT NULL
),
free AS (
    SELECT events.method, left(events.url_path, 300) AS path, events.status, nullif(events.request_id, '') AS request_id,
        coalesce(contains(events.text, $canary), false) AS canary
    FROM log_events AS events
    JOIN access_logs AS logs ON logs.server = events.server AND logs.source = events.source AND logs.layer = 0
    ANTI JOIN joined ON joined.server = events.server AND joined.source = events.source AND joined.position = events.position
    WHERE events.kind = 'access' AND events.t_high_ns >= $from_ns AND events.t_low_ns <= $to_ns
),
owned AS (
    SELECT free.*, ids.request_id IS NOT NULL AS repeated, sockets.path IS NOT NULL OR free.status = 101
            OR coalesce(contains(free.path, '/socket.io'), false) AND EXISTS (FROM sockets) AS socket
    FROM free
    LEFT JOIN (SELECT DISTINCT request_id FROM requests) AS ids ON ids.request_id = free.request_id
    LEFT JOIN sockets ON sockets.path = free.path
)
SELECT
    CASE WHEN canary THEN 'canary' WHEN repeated THEN 'repeated' WHEN socket THEN 'websocket' ELSE 'other' END AS whose,
    method, path, count(*) AS lines
FROM owned
GROUP BY ALL
ORDER BY lines DESC, path, method
