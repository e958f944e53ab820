-- How many answered requests ended in each second with a latency in each bin: 20 bins a power of ten from 0.1 ms on; what is
-- below is in bin 0, what is above in the last. $last: the number of the last bin.
SELECT
    end_ns // 1000000000 AS t,
    least($last, greatest(0, floor(20 * log10(greatest(latency_ms, 1e-6) / 0.1) + 1e-9)))::INTEGER AS bin,
    count(*) AS requests
FROM requests
WHERE status IS NOT NULL
GROUP BY ALL
ORDER BY t, bin
