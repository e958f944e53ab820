-- What was paired outside of the database.
INSERT INTO join_matches
SELECT request_no, line_no, layer, 'time', if(alone = 1, 'likely', 'ambiguous'), candidates
FROM read_csv(
    $path,
    header = false, auto_detect = false, sep = ',',
    columns = {'request_no': 'BIGINT', 'line_no': 'BIGINT', 'layer': 'INTEGER', 'candidates': 'BIGINT', 'alone': 'INTEGER'}
)
