-- What a request can be recognised by in a server's log. `path`: decoded, without the query; `sent` is false where no server can have
-- seen it; `site`: of the servers that it can have reached, where its port tells; `failed` as everywhere (requests.sql).
-- The method of a websocket is none that a server logs. $unsent: the errors of connections that were never made.
-- `at_once`: a proxy said that its patience had ended when it can hardly have begun: it refused by itself.
CREATE TABLE join_requests AS
WITH urls AS (
    SELECT
        url,
        regexp_extract(url, '^[A-Za-z+.-]+://[^/?#]*') AS origin,
        regexp_extract(url, '^(?:[A-Za-z+.-]+://[^/?#]*)?([^?#]*)', 1) AS path,
        coalesce(
            try_cast(nullif(regexp_extract(url, '^[A-Za-z+.-]+://[^/?#]*:([0-9]{1,5})(?:[/?#]|$)', 1), '') AS INTEGER),
            if(regexp_matches(url, '^(https|wss)://'), 443, 80)
        ) AS port
    FROM (SELECT DISTINCT url FROM requests WHERE url IS NOT NULL)
),
plain AS (
    SELECT url, origin, left(plain_path(if(path = '', '/', path)), 1000) AS path, ports.site
    FROM urls
    LEFT JOIN join_site_ports AS ports USING (port)
)
SELECT
    requests.request_no, requests.protocol, requests.load, requests.name, plain.origin, plain.site,
    if(requests.protocol = 'http', upper(requests.method), NULL) AS method, plain.path,
    requests.status, requests.error, requests.start_ns, requests.end_ns, nullif(requests.request_id, '') AS request_id,
    requests.failed,
    requests.status IS NOT NULL
        OR coalesce(NOT (list_contains($unsent, requests.error) OR requests.end_ns = requests.start_ns), true) AS sent,
    coalesce(requests.status IN (504, 524), false) AND (
        requests.end_ns - requests.start_ns < 50e6
        OR requests.end_ns - requests.start_ns < least(250e6, max(requests.end_ns - requests.start_ns) OVER (PARTITION BY requests.status) / 2)
    ) AS at_once
FROM requests
LEFT JOIN plain ON plain.url = requests.url
