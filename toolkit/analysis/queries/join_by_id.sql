-- One request, one line, one id. Where the path is another one (a proxy may take its beginning away), it is only likely: an
-- application may hand its id on to other requests of its own.
INSERT INTO join_matches
SELECT
    requests.request_no, lines.line_no, lines.layer, 'id',
    if(alike(requests.method, requests.path, lines.method, lines.path), 'certain', 'likely'), 1
FROM join_lines AS lines
JOIN join_requests AS requests ON requests.request_id = lines.request_id
ANTI JOIN join_repeated AS repeated ON repeated.request_id = lines.request_id
