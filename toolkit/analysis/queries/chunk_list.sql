-- One row a chunk.
SELECT server, view, seq, start_ns, end_ns, rate_hz, samples, errors, late_s, cpu_s, exit_code, note, listed, whole, counted, unreadable
FROM chunks
ORDER BY server, view, seq
