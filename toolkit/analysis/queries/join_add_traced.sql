-- What was paired outside of the database.
INSERT INTO join_traced
SELECT request_no, trace_no, if(alone = 1, 'likely', 'ambiguous'), candidates
FROM read_csv(
    $path,
    header = false, auto_detect = false, sep = ',',
    columns = {'request_no': 'BIGINT', 'trace_no': 'BIGINT', 'candidates': 'BIGINT', 'alone': 'INTEGER'}
)
