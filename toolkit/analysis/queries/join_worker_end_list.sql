-- As above, in order.
SELECT end_no, server, site, pid, t_low_ns, t_high_ns, cause <> 'unknown' AS explained FROM join_worker_ends ORDER BY end_no
