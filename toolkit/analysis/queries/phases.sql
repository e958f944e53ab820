-- When each phase ran: as the generator said, else from the first to the last request that names it.
WITH said AS (
    SELECT
        load,
        coalesce(idx, 0) AS idx,
        any_value(phase) AS name,
        min(t_ns) FILTER (kind = 'phase_started') AS start_ns,
        max(t_ns) FILTER (kind = 'phase_ended') AS end_ns,
        max(duration_s) AS duration_s
    FROM load_events
    WHERE kind IN ('phase_started', 'phase_ended')
    GROUP BY ALL
    HAVING start_ns IS NOT NULL
),
seen AS (
    SELECT load, phase AS name, min(start_ns) AS start_ns, max(end_ns) AS end_ns
    FROM requests
    WHERE phase IS NOT NULL
    GROUP BY ALL
),
lasted AS (SELECT load, max(end_ns) AS end_ns FROM seen GROUP BY load)
SELECT
    said.load,
    coalesce(said.name, (said.idx + 1)::VARCHAR) AS name,
    said.idx,
    said.start_ns,
    -- A generator that was killed names no end: the next phase's start, or the load's last answer, is the end.
    coalesce(
        said.end_ns,
        lead(said.start_ns) OVER (PARTITION BY said.load ORDER BY said.idx),
        greatest(lasted.end_ns, said.start_ns),
        said.start_ns
    ) AS end_ns,
    said.duration_s
FROM said
LEFT JOIN lasted USING (load)
UNION ALL
SELECT
    load,
    name,
    (row_number() OVER (PARTITION BY load ORDER BY start_ns, name) - 1)::INTEGER,
    start_ns,
    end_ns,
    NULL
FROM seen
WHERE load NOT IN (SELECT load FROM said)
ORDER BY start_ns, load, idx
