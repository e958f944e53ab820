-- Requests of all loads that ended in each slice of a window: what a server's CPU time is divided by.
SELECT least($slices - 1, floor((end_ns - $start_ns) / $length_ns))::INTEGER AS slice, count(*) AS requests
FROM requests
WHERE end_ns >= $start_ns AND end_ns < $end_ns
GROUP BY slice
ORDER BY slice
