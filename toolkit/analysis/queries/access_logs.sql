-- One row an access log: what it is, and what its lines carry; `layer` in toolkit/analysis/joins/access_logs.py.
SELECT * FROM raw_access_logs ORDER BY server, layer, source
