-- Every request in order of start. Times in seconds from the first start, latencies in milliseconds.
SELECT
    request_no, load, protocol, scenario, name, method, url, phase,
    round((start_ns - min(start_ns) OVER ()) / 1e9, 6) AS at_s,
    start_ns,
    round(latency_ms, 3) AS latency_ms,
    round((first_byte_ns - start_ns) / 1e6, 3) AS first_byte_ms,
    status, error, failed, bytes_in, bytes_out, request_id
FROM requests
ORDER BY request_no
