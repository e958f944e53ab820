-- Ids that stand more than once: every request with every line of the same method and path. $most: an id that stands more often
-- names nothing. `asked`: by its port the request went to the line's server itself, which may have handed its id on to others.
CREATE TABLE join_id_pairs AS
SELECT
    requests.request_no, lines.line_no, lines.layer,
    coalesce(requests.status = lines.status, false) AS same_status,
    coalesce(requests.site = lines.site, false) AS asked,
    abs(lines.t_ns - requests.end_ns) AS distance_ns
FROM join_repeated AS repeated
JOIN join_lines AS lines ON lines.request_id = repeated.request_id
JOIN join_requests AS requests ON requests.request_id = repeated.request_id
WHERE repeated.times <= $most AND alike(requests.method, requests.path, lines.method, lines.path)
