-- When each phase of each load ran, as its requests are cut into slices: as the generator said, else from first to last start.
WITH said AS (
    SELECT load, name AS phase, min(start_ns) AS start_ns, max(end_ns) AS end_ns
    FROM phases
    GROUP BY ALL
),
seen AS (
    SELECT load, coalesce(phase, '') AS phase, min(start_ns) AS start_ns, max(start_ns) AS end_ns, count(*) AS requests
    FROM requests
    GROUP BY ALL
)
SELECT
    load, phase, requests,
    coalesce(said.start_ns, seen.start_ns) AS start_ns,
    greatest(coalesce(said.end_ns, seen.end_ns), coalesce(said.start_ns, seen.start_ns)) AS end_ns
FROM seen
LEFT JOIN said USING (load, phase)
ORDER BY start_ns, load, phase
