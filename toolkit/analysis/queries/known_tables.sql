-- The tables that were built so far.
SELECT view_name AS name FROM duckdb_views() WHERE NOT internal
