-- One row for each request that is joined to a line of a server, failed, was slow, or should have had a line.
-- joined_by: how its access line was found: 'id', 'time' (method, path, status and time), 'none'; certainty: 'certain', 'likely',
-- 'ambiguous', 'none'; candidates: lines that it could have been.
-- server, source, position, t_ns, access_status: of the access line; server_ms: as it says; outside_ms: the rest of the latency.
-- expected: a log should have a line of it.
-- what (of failed requests): what explains it, with what_certainty and why; toolkit/analysis/joins/explanations.py has the words.
-- $closed: errors of connections that the other side ended.
-- $late: statuses with which something in front of a server answers for it.
-- $forgets: a gunicorn writes no line of a request whose client, or proxy, went away before the answer was written.
-- $stopped_ns: from when on no worker lived any more, to the end.
-- $queued_ns: who came later may have waited to be accepted until the recording ended.
-- $error_ms: of the clocks; $longest_ms: that anything took; $last_ns: until when a request in work would have been logged.
WITH facts AS (
    SELECT
        requests.*,
        (requests.end_ns - requests.start_ns) / 1e6 AS latency_ms,
        slow.request_no IS NOT NULL AS slow,
        best.joined_by, best.certainty, best.candidates,
        lines.line_no, lines.server, lines.source, lines.position,
        greatest(lines.t_ns, least(lines.t_high_ns, requests.start_ns)) AS t_ns, -- no line is older than its request
        lines.status AS access_status, lines.layer,
        if(traces.by_gunicorn OR lines.layer > 0, NULL, lines.duration_ms) AS server_ms,
        traces.fingerprint,
        -- Whose line that is may be another's, and so may the traceback.
        if(traced.certainty = 'likely' AND best.certainty = 'ambiguous' AND lines.status <> requests.status, 'ambiguous', traced.certainty)
            AS traceback_certainty, traces.server AS traceback_server,
        traces.source AS traceback_source, traces.position AS traceback_position, traces.t_ns AS traceback_t_ns,
        -- Somebody answered before the application raised: a proxy whose patience had ended.
        list_contains($late, coalesce(requests.status, 0)) AND coalesce(traces.t_low_ns - $error_ms * 1e6 > requests.end_ns, false) AS raised_later,
        ends.cause AS event, ended.certainty AS event_certainty, ends.server AS event_server, ends.source AS event_source,
        ends.position AS event_position, ends.pid AS event_pid, ends.t_ns AS event_t_ns,
        others.lines AS other_lines,
        requests.protocol = 'http' AND coalesce(requests.end_ns <= covered.to_ns, false) AS is_covered,
        requests.start_ns + ($longest_ms + 1000) * 1e6 > least(covered.to_ns, $last_ns) AS is_young,
        coalesce(origins.known, false) AS is_known,
        requests.request_id IS NOT NULL AND repeated.times IS NULL AS is_named,
        list_contains($unsent, requests.error) AS is_refused,
        list_contains($closed, coalesce(requests.error, '')) AS was_closed,
        requests.start_ns > $queued_ns AS was_queued,
        -- Nobody knows how long the server was at work with it, and its line comes when it has done: that may be after the recording.
        requests.sent AND requests.status IS NULL AND NOT was_closed AS was_given_up,
        coalesce(fulls.t_ns >= requests.start_ns - 1_000_000_000, false) AS met_a_full_queue,
        near.request_no IS NOT NULL AS may_have_raised,
        coalesce(requests.status = 502 AND deaths.died_ns >= requests.start_ns - 1_000_000_000, false) AS met_an_end,
        -- Others of its kind were given lines that may as well be its own.
        coalesce(list_contains($late, requests.status), false) AND NOT requests.at_once AND mixed.path IS NOT NULL AS may_have_lost_its_line,
        lines.t_low_ns AS line_low_ns, lines.t_high_ns AS line_high_ns,
        -- Whatever it logged, it answered.
        coalesce(lines.layer = 0 AND lines.status < 500 AND requests.status >= 500, false) AS went_well
    FROM join_requests AS requests
    LEFT JOIN join_best AS best USING (request_no)
    LEFT JOIN join_lines AS lines ON lines.line_no = best.line_no
    LEFT JOIN join_traced AS traced ON traced.request_no = requests.request_no
    LEFT JOIN join_tracebacks AS traces ON traces.trace_no = traced.trace_no
    LEFT JOIN join_near_traceback AS near ON near.request_no = requests.request_no
    LEFT JOIN join_ended AS ended ON ended.request_no = requests.request_no
    LEFT JOIN join_worker_ends AS ends ON ends.end_no = ended.end_no
    LEFT JOIN join_slow AS slow ON slow.request_no = requests.request_no
    LEFT JOIN join_others AS others ON others.request_no = requests.request_no
    LEFT JOIN join_repeated AS repeated ON repeated.request_id = requests.request_id
    LEFT JOIN join_origins AS origins
        ON origins.origin = requests.origin AND origins.load = requests.load AND origins.name = requests.name
    ASOF LEFT JOIN join_covered AS covered ON requests.start_ns >= covered.from_ns
    LEFT JOIN join_mixed AS mixed ON mixed.path = requests.path AND mixed.method IS NOT DISTINCT FROM requests.method
    ASOF LEFT JOIN join_full AS fulls ON requests.end_ns >= fulls.t_ns
    ASOF LEFT JOIN join_worker_ends AS deaths ON requests.end_ns + 1_000_000_000 >= deaths.died_ns
),
explained AS (
    SELECT
        *,
        CASE
            WHEN NOT failed THEN NULL
            WHEN event IS NOT NULL THEN if(event = 'timeout', 'timeout', 'killed')
            WHEN traceback_position IS NOT NULL AND NOT (traceback_certainty = 'ambiguous' AND other_lines IS NOT NULL) AND NOT went_well
                THEN if(raised_later, 'proxy', 'traceback')
            WHEN NOT sent THEN if(is_refused, 'refused', 'unsent')
            WHEN line_no IS NOT NULL AND status IS NULL THEN 'gave_up'
            WHEN access_status <> status OR layer > 0 AND status >= 400 THEN 'proxy'
            WHEN line_no IS NOT NULL AND status < 400 AND was_closed THEN 'cut'
            WHEN line_no IS NOT NULL THEN if(status < 400, 'check', 'access')
            WHEN other_lines IS NOT NULL THEN 'logged'
            WHEN error = 'interrupted' THEN 'interrupted'
            WHEN NOT is_covered OR NOT is_known THEN 'unknown'
            WHEN was_closed THEN 'closed'
            WHEN $forgets AND NOT at_once AND (status IS NULL OR list_contains($late, status)) THEN 'unknown'
            WHEN NOT at_once AND (is_young OR was_given_up OR was_queued) THEN 'unfinished'
            ELSE 'none'
        END AS what
    FROM facts
    WHERE line_no IS NOT NULL OR failed OR slow OR is_covered
)
SELECT
    request_no, load, protocol, name, status, error, start_ns, end_ns, failed, slow,
    coalesce(joined_by, 'none') AS joined_by,
    coalesce(certainty, 'none') AS certainty,
    coalesce(candidates, 0) AS candidates,
    server, source, position, t_ns, layer, access_status, server_ms,
    -- What a proxy answered as its patience had ended does not hold the server's time: that may have begun later.
    CASE
        WHEN list_contains($late, status) AND access_status <> status THEN NULL
        WHEN status IS NOT NULL AND latency_ms - server_ms >= -$error_ms THEN greatest(0, latency_ms - server_ms)
    END AS outside_ms,
    is_covered AND is_known AND sent AND what IS DISTINCT FROM 'unknown' AS expected,
    what,
    CASE
        WHEN what IN ('timeout', 'killed') THEN event_certainty
        WHEN what = 'traceback' THEN traceback_certainty
        WHEN what = 'proxy' AND raised_later AND NOT went_well THEN traceback_certainty
        WHEN what = 'access' AND (traceback_position IS NOT NULL OR may_have_raised) THEN 'ambiguous'
        WHEN what = 'access' AND other_lines IS NOT NULL THEN 'certain'
        WHEN what = 'none' AND met_an_end THEN 'likely' -- a worker ended then, and may have had it
        WHEN what = 'none' AND is_named AND $ids THEN 'certain'
        WHEN what = 'none' THEN if(may_have_lost_its_line, 'ambiguous', 'likely')
        WHEN what IN ('unknown', 'unfinished', 'closed') THEN 'none'
        WHEN what IN ('refused', 'unsent', 'interrupted', 'logged') THEN 'certain'
        WHEN what IS NOT NULL THEN certainty
    END AS what_certainty,
    CASE
        WHEN what = 'unknown' AND protocol = 'call' THEN 'call'
        WHEN what = 'unknown' AND protocol <> 'http' THEN 'protocol'
        WHEN what = 'unknown' AND NOT $logged THEN 'no_log'
        WHEN what = 'unknown' AND NOT is_covered THEN 'gap'
        WHEN what = 'unknown' AND is_known THEN 'unlogged'
        WHEN what = 'unknown' THEN 'incomplete'
        WHEN what = 'logged' AND NOT is_covered THEN 'logged_alone'
        WHEN what = 'refused' AND start_ns >= $stopped_ns THEN 'stopped'
        WHEN what = 'unfinished' AND met_a_full_queue THEN 'full'
        WHEN what = 'proxy' AND raised_later AND NOT went_well THEN 'raised_later'
        WHEN what = 'proxy' AND layer > 0 THEN 'front'
        WHEN what = 'access' AND other_lines IS NOT NULL AND (traceback_position IS NOT NULL OR may_have_raised) THEN 'said_perhaps'
        WHEN what = 'access' AND may_have_raised THEN 'perhaps'
        WHEN what = 'access' AND other_lines IS NOT NULL THEN 'said'
        WHEN what = 'gave_up' AND line_high_ns + $error_ms * 1e6 < end_ns THEN 'lost'
        WHEN what = 'gave_up' AND line_low_ns - $error_ms * 1e6 <= end_ns THEN 'about'
    END AS why,
    fingerprint, traceback_certainty, traceback_server, traceback_source, traceback_position, traceback_t_ns,
    event, event_certainty, event_server, event_source, event_position, event_pid, event_t_ns,
    other_lines
FROM explained
