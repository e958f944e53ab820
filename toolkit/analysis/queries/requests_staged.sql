-- Every line of every requests file, with what is wrong with it.
-- $earliest, $latest: a request outside of these (ns) was not made in this run.
SELECT
    files.load,
    raw.* EXCLUDE (kind),
    CASE
        WHEN start_ns IS NULL AND kind = 'requests' THEN 'header'
        WHEN start_ns IS NULL OR end_ns IS NULL THEN 'unreadable'
        WHEN end_ns < start_ns OR start_ns NOT BETWEEN $earliest AND $latest OR end_ns > $latest THEN 'implausible'
    END AS problem
FROM raw_requests AS raw
JOIN request_files AS files USING (filename)
