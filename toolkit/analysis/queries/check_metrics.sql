-- One quantity of the servers over time, in order: of the host, the service, all workers together, or ($each) each worker.
-- $names: what is added up. A line that lacks a part of a sum (a worker's CPU time is not known at once) leaves it out.
SELECT server, if($each, pid, NULL) AS pid, t_ns, sum(value) AS value
FROM metrics
WHERE scope = $scope AND list_contains($names, name) AND (scope <> 'process' OR role = 'worker')
GROUP BY ALL
ORDER BY server, pid, t_ns
