-- How many requests have a line of their kind that may be theirs.
SELECT count(*) AS requests FROM join_open_requests WHERE key IN (SELECT key FROM join_open_lines)
