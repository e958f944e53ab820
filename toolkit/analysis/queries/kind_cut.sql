-- Requests under which the load was stopped, by load and phase: nothing that the service did.
SELECT load, phase, count(*) AS requests FROM requests WHERE error = 'interrupted' GROUP BY ALL ORDER BY ALL
