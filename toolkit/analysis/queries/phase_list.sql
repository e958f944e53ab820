-- When each phase ran, in order of start.
SELECT load, name, idx, start_ns, end_ns, duration_s FROM phases ORDER BY start_ns, load, idx
