-- How many layers of access logs there are.
SELECT coalesce(max(layer) + 1, 0) AS layers FROM access_logs
