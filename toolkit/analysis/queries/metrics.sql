-- One row a value: gauges as they were read, counters as growth per second since the line before.
-- $servers: names, by number from 1; $longest_ns: of each, the gap between two lines from which on a growth is not known.
-- $host_counters, $service_counters, $process_counters: names of those that grow.
-- Rows are neither sorted nor joined: a day of many workers must stream through little memory.
SELECT $servers[server_number] AS server, t_ns, scope, pid, role, name, value
FROM (
    SELECT *, 'host' AS scope, NULL::INTEGER AS pid, NULL::VARCHAR AS role, list_contains($host_counters, name) AS grows
    FROM (UNPIVOT raw_host_metrics ON COLUMNS(* EXCLUDE (server_number, t_ns, gap_ns)) INTO NAME name VALUE value)
    UNION ALL BY NAME
    SELECT *, 'service' AS scope, list_contains($service_counters, name) AS grows
    FROM (UNPIVOT raw_service_metrics ON COLUMNS(* EXCLUDE (server_number, t_ns, gap_ns)) INTO NAME name VALUE value)
    UNION ALL BY NAME
    SELECT *, 'process' AS scope, list_contains($process_counters, name) AS grows
    FROM (UNPIVOT raw_process_metrics ON COLUMNS(* EXCLUDE (server_number, t_ns, gap_ns, pid, role)) INTO NAME name VALUE value)
)
WHERE NOT grows OR gap_ns <= $longest_ns[server_number]
