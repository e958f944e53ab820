-- How often each status was answered; 0 is a websocket or Socket.IO operation.
SELECT
    status,
    count(*) AS requests,
    count(*) FILTER (status = 0 AND method = 'CONNECT') AS connections
FROM requests
WHERE status IS NOT NULL
GROUP BY status
ORDER BY status
