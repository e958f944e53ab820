-- The most frequent latency of each request name, and of all. Latencies hardly repeat, so they are put into bins: a bin is
-- 2 * IQR / n^(1/3) wide (Freedman and Diaconis), rounded to 1, 2 or 5 times a power of ten, at least 0.1 ms. The mode is
-- the middle of the fullest bin; of equally full ones, the lowest.
WITH answered AS (
    SELECT load, protocol, name, latency_ms FROM requests WHERE status IS NOT NULL
),
spread AS (
    SELECT
        load, protocol, name, grouping(load) AS of_all,
        greatest(0.1, 2 * (quantile_cont(latency_ms, 0.75) - quantile_cont(latency_ms, 0.25)) / cbrt(count(*))) AS raw
    FROM answered
    GROUP BY GROUPING SETS ((), (load, protocol, name))
),
scaled AS (
    SELECT *, pow(10, floor(log10(raw) + 1e-9)) AS ten FROM spread
),
bins AS (
    SELECT
        * EXCLUDE (raw, ten),
        ten * CASE WHEN raw / ten < 1.5 THEN 1 WHEN raw / ten < 3.5 THEN 2 WHEN raw / ten < 7.5 THEN 5 ELSE 10 END AS bin_ms
    FROM scaled
),
binned AS (
    SELECT bins.load, bins.protocol, bins.name, bins.bin_ms, floor(answered.latency_ms / bins.bin_ms + 1e-9) AS bin
    FROM answered JOIN bins USING (load, protocol, name)
    UNION ALL
    SELECT NULL, NULL, NULL, bins.bin_ms, floor(answered.latency_ms / bins.bin_ms + 1e-9)
    FROM answered CROSS JOIN (SELECT bin_ms FROM bins WHERE of_all = 1) AS bins
),
counted AS (
    SELECT load, protocol, name, bin_ms, bin, count(*) AS requests FROM binned GROUP BY ALL
)
SELECT load, protocol, name, bin_ms, (arg_max(bin, (requests, -bin)) + 0.5) * bin_ms AS mode_ms
FROM counted
GROUP BY load, protocol, name, bin_ms
