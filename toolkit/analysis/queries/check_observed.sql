-- The values of one measure of the requests, one row a request that has it: `start_ns`, `end_ns`, `value`.
-- Of what did or did not happen (errors, unanswered, failed_checks) 1 or 0; there `codes` says which happenings count, and
-- everywhere else which requests. Each list may be NULL: any. A request without an answer has the code "none".
CREATE OR REPLACE TEMP MACRO check_observed(measure, protocols, phases, names, scenarios, methods, codes) AS TABLE
SELECT start_ns, end_ns, value
FROM (
    SELECT
        start_ns, end_ns,
        CASE measure
            WHEN 'latency' THEN if(status IS NULL, NULL, latency_ms)
            WHEN 'ack' THEN if(status IS NULL OR method = 'CONNECT', NULL, latency_ms)
            WHEN 'connect' THEN if(status IS NULL OR method <> 'CONNECT', NULL, latency_ms)
            WHEN 'first_byte' THEN if(status IS NULL, NULL, (first_byte_ns - start_ns) / 1e6)
            WHEN 'send_lag' THEN (start_ns - intended_ns) / 1e6
            WHEN 'bytes_in' THEN if(status IS NULL, NULL, bytes_in)
            WHEN 'ended' THEN 1
            WHEN 'errors' THEN (failed AND of_code)::INTEGER
            WHEN 'unanswered' THEN (status IS NULL AND error IS NOT NULL AND of_code)::INTEGER
            WHEN 'failed_checks' THEN (status IS NOT NULL AND error IS NOT NULL AND of_code)::INTEGER
        END::DOUBLE AS value
    FROM (
        SELECT *, codes IS NULL OR list_contains(codes, coalesce(status::VARCHAR, 'none')) AS of_code
        FROM requests
        WHERE error IS DISTINCT FROM 'interrupted' -- the load was stopped under it: nothing that the service did
            AND (protocols IS NULL OR list_contains(protocols, protocol))
            AND (phases IS NULL OR list_contains(phases, coalesce(phase, '')))
            AND (names IS NULL OR list_contains(names, name))
            AND (scenarios IS NULL OR list_contains(scenarios, load) OR list_contains(scenarios, scenario))
            AND (methods IS NULL OR list_contains(methods, coalesce(method, '')))
    )
    WHERE of_code OR measure IN ('errors', 'unanswered', 'failed_checks')
)
WHERE value IS NOT NULL
