-- Virtual users as their requests name them: for a generator that said nothing of its users.
SELECT load, scenario, count(DISTINCT "user") AS users
FROM requests
GROUP BY load, scenario
ORDER BY load, scenario
