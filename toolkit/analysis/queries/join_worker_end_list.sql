-- As above, in order. `raises`: Python itself may have ended it, so that a SystemExit stands in the log; no signal that kills lets it.
SELECT
    end_no, server, site, pid, t_low_ns, t_high_ns, cause <> 'unknown' AS explained,
    cause NOT IN ('killed', 'oom', 'crash') AS raises,
    try_cast(nullif(regexp_extract(cause_words, 'exit code ([0-9]{1,3})', 1), '') AS INTEGER) AS code,
    died_ns, source IS NOT NULL AND cause <> 'timeout' AS exact
FROM join_worker_ends ORDER BY end_no
