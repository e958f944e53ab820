-- The pairs that are each other's best: same status first, then the server that was asked, then the nearest in time. Again, until none is left.
INSERT INTO join_matches
WITH open AS (
    SELECT pairs.*
    FROM join_id_pairs AS pairs
    ANTI JOIN join_matches AS taken ON taken.request_no = pairs.request_no AND taken.layer = pairs.layer
    ANTI JOIN join_matches AS used ON used.line_no = pairs.line_no
),
ranked AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY layer, request_no ORDER BY same_status DESC, asked DESC, distance_ns, line_no) AS of_request,
        row_number() OVER (PARTITION BY line_no ORDER BY same_status DESC, asked DESC, distance_ns, request_no) AS of_line,
        count(*) OVER (PARTITION BY layer, request_no, same_status, asked) AS alike
    FROM open
)
SELECT request_no, line_no, layer, 'id', if(alike = 1, 'certain', 'likely'), alike
FROM ranked
WHERE of_request = 1 AND of_line = 1
