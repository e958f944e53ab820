"""The fields of the recorded lines: one place that writers, readers and tables agree on.

All times are UTC nanoseconds (integers) on the clock of the machine that wrote the line; the reader moves a
server's times to the controller's clock with the offset in run.json.
"""

from __future__ import annotations

REQUEST_SCHEMA = 1
"""First line of each `requests.jsonl`: `{"schema": 1, "kind": "requests"}`."""

REQUEST_FIELDS = {
    "protocol": "VARCHAR",  # "http", "ws", "socketio"
    "scenario": "VARCHAR",  # the scenario's name inside the engine's file
    "name": "VARCHAR",  # the request's name, else "METHOD /path/template"
    "method": "VARCHAR",  # GET …; "CONNECT", "SEND" for ws; "CONNECT", "EMIT" for socketio
    "url": "VARCHAR",  # without user-info and query values
    "phase": "VARCHAR",  # the phase's name, else its number from 1
    "intended_ns": "BIGINT",  # when the arrival schedule (first request of a user) or the flow meant it to start
    "start_ns": "BIGINT",  # when it did start
    "first_byte_ns": "BIGINT",  # null where none came
    "end_ns": "BIGINT",  # last byte, reply, acknowledgement, error or deadline
    "status": "INTEGER",  # HTTP status; 0 for a websocket or Socket.IO operation that was answered; null where nothing answered
    "error": "VARCHAR",  # ECONNREFUSED, ETIMEDOUT, "no acknowledgement", …; null where there was none
    "bytes_in": "BIGINT",  # body bytes received
    "bytes_out": "BIGINT",  # body bytes sent
    "request_id": "VARCHAR",  # the X-Request-ID sent; null where the protocol has none
    "user": "VARCHAR",  # the virtual user
}

ANSWERED_FIELDS = {
    "answered_id": "VARCHAR",  # the X-Request-ID of the answer, where it is another than was sent; else not in the record
}

ACCEPTED_FIELDS = {
    "accepted": "BOOLEAN",  # true: the user's file says that this status of 400 or more is right; else not in the record
}

LOAD_EVENT_KINDS = (
    "phase_started",
    "phase_ended",
    "worker_error",
    "note",
    "users",
    "schedule",
    "pulse",
    "stopping",
    "users_left",
    "done",
)
"""`load/<scenario>/events.jsonl`: `{"t_ns", "kind", ...}`.

phase_started / phase_ended: `phase` (name or number), `index` (from 0), `duration_s` as planned.
users: cumulative counters `{"created": {scenario: n}, "completed": n, "failed": n, "skipped": n, "errors": {text: n},
"unanswered": {protocol: n}}`; unanswered are messages sent without waiting for a reply.
schedule: a generator thread begins its share of a phase: `worker` of `workers` (from 1), `phase`, `index`, `mode` (uniform,
poisson, ramp, count, pause), `duration_s`, and of that thread alone `rate` (users a second; of a ramp at its beginning),
`ramp_to`, `count`; null where the phase has none.
pulse: once a second of each thread: `arrived` (users since the thread began), `late_ms` and `late_max_ms` (how late those since
the last pulse were, mean and largest), `loop_ms`, `loop_p99_ms`, `loop_max_ms` (how much longer the event loop took over a sign
of life than it should); `ended` (a phase's index) where the phase ended just now.
worker_error: `message`; the numbers must not be used. note: `message`, worth knowing and no more.
stopping: no user will come any more, and those that are there end what they do.
users_left: the last user has left, and none will come; requests of an `after` section may still follow.
done: the engine ended by itself.
"""

CHUNK_FIELDS = {
    "view": "VARCHAR",  # wall, cpu, gil
    "seq": "INTEGER",  # from 0, per view
    "start_ns": "BIGINT",  # the recorder said that it samples
    "end_ns": "BIGINT",  # SIGINT was sent
    "rate_hz": "DOUBLE",
    "samples": "BIGINT",  # as py-spy counted them; null where it did not say
    "errors": "BIGINT",
    "late_s": "DOUBLE",  # the largest "behind in sampling"; 0 where never
    "cpu_s": "DOUBLE",  # CPU seconds the recorder used (wait4)
    "exit_code": "INTEGER",
    "bytes": "BIGINT",  # of the gzip file; 0 where there is none
    "note": "VARCHAR",  # what was odd; null
}

METRICS_LINE = ("t_ns", "host", "service", "processes")
"""`servers/<name>/metrics.jsonl.gz`: `{"t_ns", "host": {name: value}, "service": {name: value}, "processes": [{"pid",
"create_time", "role": "arbiter" | "worker", "state": one letter, "name": value…}]}`; names in metric_fields.py, t_ns on the
server's clock.
"""

WORKERS_LINE = ("t_ns", "born", "died")
"""`servers/<name>/workers.jsonl`: `{"t_ns", "born": [WORKER], "died": [WORKER]}`, WORKER is `{"pid", "create_time", "title"}`
and, of the dead where it is known, `"exit"`: `{"code"} or {"signal"}`. The first line holds those there at the start.
"""

LOG_SOURCE_FIELDS = {
    "source": "INTEGER",  # from 0
    "kind": "VARCHAR",  # file, journal
    "path": "VARCHAR",  # of the file on the server, or the journal's unit
    "file": "VARCHAR",  # the bytes, beside index.jsonl: <source>-<plain name>.log; a rotated generation goes on in it
    "found": "VARCHAR",  # how: "descriptor 5 of PID 123", "--error-logfile", "named in the plan", …
    "role": "VARCHAR",  # access, error, application; null where only the content can tell
    "format": "VARCHAR",  # gunicorn's access_log_format where it is known; null
    "note": "VARCHAR",  # why it is not followed; null where it is
}
"""`servers/<name>/logs/sources.json`: a list of these.

The `file` of a journal holds one JSON object a line: `{"t_us", "pid", "priority", "identifier", "message"}`. `t_us` is when
journald took it, UTC microseconds of the server; each but `message` may be null. A message may hold several lines; its bytes
that are no UTF-8 are lone surrogates, as Python's surrogateescape makes them.
"""

LOG_BLOCK_FIELDS = {
    "source": "INTEGER",
    "t_ns": "BIGINT",  # when the agent read it: every line in it was written before
    "since_ns": "BIGINT",  # of data, dropped: and after this, when there was nothing more; null: after the block before it
    "what": "VARCHAR",  # data, start, rotated, truncated, dropped, limit, gone
    "position": "BIGINT",  # of data: the first byte's place in `file`
    "bytes": "BIGINT",  # of data: how many; of dropped and limit: how many were not fetched, null where that is not known
    "generation": "INTEGER",  # of the file on the server: 0, and one more after each rotation or truncation
    "offset": "BIGINT",  # in that generation
    "note": "VARCHAR",
}
"""`servers/<name>/logs/index.jsonl`: what of each source came when. Data blocks of one source follow one another in `file`."""

GENERATOR_LINE = ("t_ns", "interval_s", "cores", "host_cpu", "engines")
"""`generator/cpu.jsonl`: of the load generator's machine, once a second while the load runs: `{"t_ns", "interval_s" (since the
line before), "cores", "host_cpu" (cores busy), "engines": [{"load", "cpu" (cores, all its processes), "busiest" (cores, the
busiest of its threads), "waited" (cores that thread wanted and did not get; null where the system does not say), "rss" (bytes),
"threads"}]}`.
"""

CANARY_SCHEMA = 1
"""First line of `generator/canary.jsonl`: `{"schema": 1, "kind": "canary", "t_ns", "url", "rate"}` (rate as asked for; null: by
cost); once its pace is known `{"kind": "pace", "t_ns", "per_s", "idle_ms"}` (the quickest of its first answers; null: none)."""

CANARY_FIELDS = {
    "t_ns": "BIGINT",  # when the request began: a new connection each time
    "ms": "DOUBLE",  # until the last byte of the answer, or until it failed
    "late_ms": "DOUBLE",  # how much later than its schedule it began
    "status": "INTEGER",  # null where there was no answer
    "bytes": "BIGINT",  # of the body, as they came over the wire
    "error": "VARCHAR",  # where there was no whole answer
}
"""`generator/canary.jsonl`: one of these a request."""

CANARY_AGENT = "gunicorn-load-profile-toolkit-canary"
"""The User-Agent of the canary, and the beginning of each of its X-Request-IDs: its requests are not of the load."""
