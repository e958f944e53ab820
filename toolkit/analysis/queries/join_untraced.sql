-- Requests of $site that one of the tracebacks may be of: none that the server answered well, whatever it logged meanwhile. $by_path: those that name a path, one path after the other; else the others.
SELECT hash(path) AS key, request_no, start_ns, end_ns, line_ns, late AND NOT settled AS late, method, server, late AND NOT same_status AS outlasts,
    server_failed, owes_line
FROM join_unexplained
ANTI JOIN join_traced USING (request_no)
WHERE NOT (went_well OR apart) AND site IS NOT DISTINCT FROM $site AND (NOT $by_path OR path IN (SELECT path FROM join_tracebacks))
ORDER BY if($by_path, key, 0), start_ns, request_no
LIMIT $most
