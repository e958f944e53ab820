-- Servers that requests reached through others alone: their access logs have ids of requests that others answered, and of the
-- requests that came straight from the load they answered none.
SELECT events.server
FROM log_events AS events
JOIN requests USING (request_id)
JOIN joined ON joined.request_no = requests.request_no
WHERE events.kind = 'access' AND joined.server IS NOT NULL AND joined.server <> events.server
    AND events.server NOT IN (SELECT server FROM joined WHERE server IS NOT NULL)
GROUP BY events.server
