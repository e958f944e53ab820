-- Requests that were sent and of which a server's log should have a line, and has none; by path, most often first.
SELECT
    requests.method,
    left(regexp_extract(requests.url, '^(?:[A-Za-z+.-]+://[^/?#]*)?([^?#]*)', 1), 300) AS path,
    count(*) AS requests,
    count(*) FILTER (joined.what IN ('unfinished', 'closed')) AS unfinished,
    count(*) FILTER (NOT joined.failed) AS answered
FROM joined
JOIN requests USING (request_no)
WHERE joined.expected AND joined.joined_by = 'none' AND joined.fingerprint IS NULL AND joined.event IS NULL
    AND joined.other_lines IS NULL
GROUP BY ALL
ORDER BY requests DESC, path, requests.method
