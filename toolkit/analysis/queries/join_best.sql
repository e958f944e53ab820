-- The line that a request is joined to: that of the first layer which has one.
CREATE TABLE join_best AS
SELECT * FROM join_matches WHERE layer = 0
UNION ALL
SELECT later.*
FROM join_matches AS later
ANTI JOIN (SELECT request_no FROM join_matches WHERE layer = 0) AS first ON first.request_no = later.request_no
WHERE later.layer > 0
QUALIFY row_number() OVER (PARTITION BY later.request_no ORDER BY later.layer) = 1
