-- What was read from where.
SELECT * EXCLUDE (filename) FROM raw_sources ORDER BY source
