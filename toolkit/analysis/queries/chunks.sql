-- One row a chunk; times were moved to the controller's clock when they were read.
SELECT * EXCLUDE (filename, chunk) FROM raw_chunks ORDER BY server, view, seq
