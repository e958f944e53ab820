-- The logs whose ids are the client's. A line of these with another id is of another request; elsewhere the ids are the server's own.
CREATE TABLE join_id_logs AS
SELECT DISTINCT lines.server, lines.source
FROM join_matches AS matches
JOIN join_lines AS lines USING (line_no)
