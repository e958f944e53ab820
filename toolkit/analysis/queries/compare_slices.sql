-- Requests by name, phase, slice of time and latency, for resampling: bin = floor($per_decade * log10(latency / 1 microsecond)) of
-- the answered, -1 of the others. A request is of the slice in which it started; those before or after the phase's time are of
-- its first or last slice. $loads, $phases, $starts, $lengths, $counts: of each phase its start and the length of its slices (ns),
-- and how many there are. `cell`: from 1, in the order of compare_cells.sql.
WITH windows AS (
    SELECT
        unnest($loads::VARCHAR[]) AS load, unnest($phases::VARCHAR[]) AS phase, unnest($starts::BIGINT[]) AS start_ns,
        unnest($lengths::DOUBLE[]) AS length_ns, unnest($counts::INTEGER[]) AS slices
),
counted AS (
    SELECT
        requests.load, protocol, name, windows.phase,
        least(slices - 1, greatest(0, floor((requests.start_ns - windows.start_ns) / length_ns)))::INTEGER AS slice,
        CASE WHEN status IS NULL THEN -1
            ELSE least($last, greatest(0, floor($per_decade * log10(greatest(latency_ms, 1e-3) * 1e3))))
        END::INTEGER AS bin,
        count(*) AS requests,
        count(*) FILTER (failed) AS failed
    FROM requests
    JOIN windows ON windows.load = requests.load AND windows.phase = coalesce(requests.phase, '')
    GROUP BY ALL
)
SELECT dense_rank() OVER (ORDER BY load, protocol, name, phase) AS cell, slice, bin, requests, failed FROM counted
