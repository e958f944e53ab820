-- How often each status was answered; 0 is a websocket or Socket.IO operation, or a repetition by a client's own code.
SELECT
    status,
    count(*) AS requests,
    count(*) FILTER (status = 0 AND method = 'CONNECT') AS connections,
    count(*) FILTER (protocol = 'call') AS calls
FROM requests
WHERE status IS NOT NULL
GROUP BY status
ORDER BY status
