-- What was paired outside of the database.
INSERT INTO join_ended
SELECT request_no, end_no, if(alone = 1, 'likely', 'ambiguous'), candidates
FROM read_csv(
    $path,
    header = false, auto_detect = false, sep = ',',
    columns = {'request_no': 'BIGINT', 'end_no': 'BIGINT', 'candidates': 'BIGINT', 'alone': 'INTEGER'}
)
