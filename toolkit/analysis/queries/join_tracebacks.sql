-- The tracebacks, numbered, with the path that they name: as the log was read, else as Flask, gunicorn and Django write it.
-- of_failure: what announces it says that it ended a request. Others may be of any request, as of one that went well after all.
-- lineless: its request may have no access line: gunicorn writes none where the application raised before it answered, uvicorn none
-- where the client was gone.
CREATE TABLE join_tracebacks AS
WITH logged AS (
    -- A header alone, with neither a frame nor an exception, says nothing of any request.
    SELECT *, split_part(coalesce(text, ''), chr(10), 1) AS first_line
    FROM log_events
    WHERE kind = 'traceback' AND (exception IS NOT NULL OR coalesce(fingerprint, '') <> '(cut short)')
),
named AS (
    SELECT
        *,
        regexp_extract(first_line, 'Exception on (/.*?) \[([A-Z]+)\]', ['path', 'method']) AS flask,
        regexp_extract(first_line, 'Error handling request (?:([A-Z]+) )?(/\S*)', ['method', 'path']) AS gunicorn,
        regexp_extract(first_line, 'Internal Server Error: (/\S*)', 1) AS django
    FROM logged
)
SELECT
    row_number() OVER (ORDER BY t_ns, named.server, source, position) AS trace_no,
    named.server, sites.site, source, position, t_ns, t_low_ns, t_high_ns, pid, fingerprint, exception, message,
    nullif(request_id, '') AS request_id,
    upper(coalesce(method, nullif(flask.method, ''), nullif(gunicorn.method, ''))) AS method,
    left(
        -- Flask's is decoded already, and has no query.
        coalesce(
            nullif(flask.path, ''),
            plain_path(regexp_extract(coalesce(url_path, nullif(gunicorn.path, ''), nullif(django, '')), '^[^?#]*'))
        ), 1000
    ) AS path,
    coalesce(event = 'request_failed', false) OR contains(first_line, 'Error handling request') AS by_gunicorn,
    by_gunicorn OR regexp_matches(first_line, 'Exception in ASGI application|Exception on \S+ \[|Internal Server Error')
        OR coalesce(exception = 'SystemExit', false) AS of_failure,
    by_gunicorn OR contains(first_line, 'Exception in ASGI application') OR coalesce(exception = 'SystemExit', false) AS lineless,
    coalesce(perhaps_quoted, false) AS quoted
FROM named
LEFT JOIN join_sites AS sites ON sites.server = named.server
