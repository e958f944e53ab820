-- What the generators said of themselves; a line without a time or a kind says nothing.
SELECT * EXCLUDE (filename, index), index AS idx
FROM raw_load_events
WHERE t_ns IS NOT NULL AND kind IS NOT NULL
