"""The large tables of the made-up run of page_run.py, as queries, and its stacks."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import duckdb

from tests.run_folders import ARBITER, START_NS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.recording.layout import RunFolder

SECONDS, WORKERS, CHUNK_S, RATE_HZ = 4 * 3600, 8, 5, 20
VIEWS = {"wall": 76, "cpu": 50, "gil": 30}
"""How often a thread of a worker was seen with a stack in one chunk."""
FRAMES, NODES, DEEPEST = 3000, 60_000, 50
FIRST_PID = 4711
# What share of the requests came before the end of each phase; within a phase they come at a steady rate.
_TIME_OF_SHARE = """CASE
    WHEN share < 0.05 THEN share / 0.05 * 1800
    WHEN share < 0.15 THEN 1800 + (share - 0.05) / 0.10 * 1800
    WHEN share < 0.85 THEN 3600 + (share - 0.15) / 0.70 * 7200
    ELSE 10800 + (share - 0.85) / 0.15 * 3600 END"""
_MACROS = (
    # In [0, 1), of a number and of what it is for.
    "CREATE MACRO chance(number, what) AS (hash(number, what) % 1000003) / 1000003.0",
    "CREATE MACRO at_ns(second) AS ($start + second * 1e9)::BIGINT",
)
_REQUESTS = f"""
    WITH timed AS (
        SELECT i, {_TIME_OF_SHARE} AS t, chance(i, 'status') AS luck, floor(40 * chance(i, 'name') ** 2)::INTEGER AS kind
        FROM (SELECT range AS i, range / $requests AS share FROM range($requests))
    ),
    measured AS (
        SELECT *, exp(ln(8 + 3 * kind) + 0.9 * (chance(i, 'a') + chance(i, 'b') + chance(i, 'c') + chance(i, 'd') - 2))
            * CASE WHEN t BETWEEN 9000 AND 9060 THEN 12 WHEN t BETWEEN 3600 AND 10800 THEN 2.5 ELSE 1 END AS ms
        FROM timed
    )
    SELECT
        i + 1 AS request_no, 'http' AS load, 'http' AS protocol, 'scenario ' || kind % 5 AS scenario,
        'load page ' || kind AS name, if(kind % 4 = 0, 'POST', 'GET') AS method,
        'http://127.0.0.1:8000/pages/' || kind || '/' || i % 100000 AS url,
        CASE WHEN t < 1800 THEN 'warm up' WHEN t < 3600 THEN 'ramp' WHEN t < 10800 THEN 'peak' ELSE 'cool down' END AS phase,
        at_ns(t - 0.001) AS intended_ns, at_ns(t) AS start_ns, at_ns(t + (ms - 0.5) / 1000) AS first_byte_ns,
        at_ns(t + ms / 1000) AS end_ns,
        CASE WHEN luck < 0.0005 THEN NULL WHEN luck < 0.003 THEN 500 WHEN luck < 0.02 THEN 404 ELSE 200 END::INTEGER AS status,
        if(luck < 0.0005, 'ETIMEDOUT', NULL) AS error, 500 + kind * 300 + i % 97 AS bytes_in, 0 AS bytes_out,
        'r-' || i AS request_id, 'u-' || i // 20 AS user, ms AS latency_ms
    FROM measured"""
_JOINED = """
    WITH slowest AS (SELECT request_no FROM requests WHERE status IS NOT NULL ORDER BY latency_ms DESC, request_no LIMIT 2000)
    SELECT
        request_no, load, protocol, name, status, error, start_ns, end_ns, coalesce(status >= 400, true) AS failed,
        slowest.request_no IS NOT NULL AS slow, if(status IS NULL, 'none', 'id') AS joined_by,
        if(status IS NULL, 'none', 'certain') AS certainty, if(status IS NULL, 0, 1) AS candidates,
        if(status IS NULL, NULL, 'web') AS server, if(status IS NULL, NULL, 1) AS source,
        if(status IS NULL, NULL, request_no * 200) AS position, if(status IS NULL, NULL, end_ns) AS t_ns,
        if(status IS NULL, NULL, 0) AS layer, status AS access_status, if(status IS NULL, NULL, latency_ms * 0.8) AS server_ms,
        if(status IS NULL, NULL, latency_ms * 0.2) AS outside_ms,
        true AS expected,
        CASE WHEN status IS NULL THEN 'none' WHEN status = 500 THEN 'traceback' WHEN status >= 400 THEN 'access' END AS what,
        if(coalesce(status >= 400, true), 'certain', NULL) AS what_certainty,
        if(status = 500, 'f' || request_no % 12, NULL) AS fingerprint,
        if(status = 500, 'certain', NULL) AS traceback_certainty, if(status = 500, 'web', NULL) AS traceback_server,
        if(status = 500, 0, NULL) AS traceback_source, if(status = 500, request_no * 900, NULL) AS traceback_position,
        if(status = 500, end_ns, NULL) AS traceback_t_ns
    FROM requests LEFT JOIN slowest USING (request_no)"""
# The lines of the access log that the page can show, and the tracebacks; not ten million lines.
_LOG_EVENTS = """
    SELECT 'web' AS server, 1 AS source, '001-access.log' AS file, position, 180 AS bytes, t_ns,
        t_ns AS t_low_ns, t_ns AS t_high_ns,
        'access' AS kind, 'GET' AS method, access_status AS status, server_ms AS duration_ms,
        '127.0.0.1 - - "GET /pages/1/' || request_no || ' HTTP/1.1" ' || access_status || ' 500 r-' || request_no AS text
    FROM joined WHERE (failed OR slow) AND source IS NOT NULL
    UNION ALL BY NAME
    SELECT 'web' AS server, 0 AS source, '000-error.log' AS file, traceback_position AS position, 800 AS bytes,
        t_ns, t_ns AS t_low_ns, t_ns AS t_high_ns, 'traceback' AS kind, 'ERROR' AS level, 'ValueError' AS exception, fingerprint,
        'shop/step_' || fingerprint || '.py:12 send' AS place, 'number ' || request_no || ' is no good' AS message,
        'Traceback (most recent call last):\n  File "/srv/shop/shop/step.py", line 12, in send\nValueError: no good' AS text
    FROM joined WHERE status = 500"""
_CHUNKS = """
    SELECT 'web' AS server, unnest(['wall', 'cpu', 'gil']) AS view, range::INTEGER AS seq, at_ns(range * $chunk_s) AS start_ns,
        at_ns((range + 1) * $chunk_s) AS end_ns, $rate_hz::DOUBLE AS rate_hz, 400 AS samples, 0 AS errors,
        0.0 AS late_s, 0.1 AS cpu_s,
        0 AS exit_code, 2000 AS bytes, true AS listed, true AS whole, 400 AS counted, 0 AS unreadable
    FROM range($seconds // $chunk_s)"""
# A few stacks are common and many are rare; in the peak one of them takes a quarter of the time.
_SAMPLES = """
    SELECT server, view, seq, any_value(start_ns) AS start_ns, any_value(end_ns) AS end_ns, any_value(rate_hz) AS rate_hz,
        pid, $arbiter AS root, pid::VARCHAR AS tid, 'MainThread' AS thread, stack_id, count(*) AS count
    FROM (
        SELECT chunks.*, $first_pid + worker.range AS pid,
            if(seq * $chunk_s BETWEEN 3600 AND 10799 AND chance([seq, worker.range, draw.range], view || 'hot') < 0.25, 7,
                floor($stacks * chance([seq, worker.range, draw.range], view) ** 2.5))::INTEGER AS stack_id
        FROM chunks, range($workers) AS worker, range(100) AS draw
        WHERE draw.range < CASE view WHEN 'wall' THEN $wall WHEN 'cpu' THEN $cpu ELSE $gil END
    )
    GROUP BY server, view, seq, pid, stack_id"""
_METRICS = """
    SELECT 'web' AS server, at_ns(second.range + 0.5) AS t_ns, scope, pid, role, name,
        round(low + (high - low)
            * (0.4 * chance(second.range, concat(name, pid)) + 0.6 * (0.5 + 0.5 * sin(second.range / 900.0))), 3) AS value
    FROM quantities, range($seconds) AS second"""
_QUANTITIES: dict[str, dict[str, float]] = {
    "host": {"cpu_user": 6, "cpu_system": 1, "cpu_iowait": 0.2, "cpu_steal": 0.1, "cpu_idle": 4, "load_1": 9,
             "memory_available": 8e9, "swap_used": 1e6, "net_in": 4e6, "net_out": 2e7, "disk_read": 1e6, "disk_write": 6e6,
             "pressure_cpu_some": 0.4, "pressure_memory_some": 0.01, "pressure_io_some": 0.1},
    "service": {"accept_queue": 20, "connections": 400, "connections_syn_recv": 4, "connections_close_wait": 9,
                "connections_time_wait": 900, "connections_out": 60},
    "process": {"cpu_user": 0.8, "cpu_system": 0.1, "rss": 3e8, "threads": 12, "descriptors": 90},
}  # fmt: skip
"""The highest value of each."""


def fill(run: RunFolder, requests: int) -> None:
    """Write the run's tables, which are empty, anew."""
    stacks = _stacks()
    numbers = {
        "requests": requests,
        "seconds": SECONDS,
        "chunk_s": CHUNK_S,
        "rate_hz": RATE_HZ,
        "workers": WORKERS,
        "first_pid": FIRST_PID,
        "arbiter": ARBITER,
        "stacks": len(stacks),
        **VIEWS,
    }
    with duckdb.connect(
        ":memory:", config={"memory_limit": "3GB", "temp_directory": str(run.path / "spill")}
    ) as connection:
        for macro in _MACROS:
            connection.execute(macro.replace("$start", str(START_NS)))
        connection.execute("SET threads = 2")
        _save(run, connection, "requests", _REQUESTS, numbers)
        _save(run, connection, "joined", _JOINED, numbers)
        _save(run, connection, "log_events", _LOG_EVENTS, numbers)
        _save(run, connection, "chunks", _CHUNKS, numbers)
        connection.execute("CREATE TABLE made (stack_id INTEGER, frames VARCHAR[])")
        for first in range(0, len(stacks), 500):
            some = [[number, frames] for number, frames in enumerate(stacks[first : first + 500], first)]
            connection.executemany("INSERT INTO made VALUES (?, ?)", some)
        _save(run, connection, "stacks", "SELECT * FROM made", numbers)
        _save(run, connection, "samples", _SAMPLES, numbers)
        connection.execute(
            "CREATE TABLE quantities (scope VARCHAR, pid INTEGER, role VARCHAR, name VARCHAR, low DOUBLE, high DOUBLE)"
        )
        connection.executemany("INSERT INTO quantities VALUES (?, ?, ?, ?, ?, ?)", list(_quantities()))
        _save(run, connection, "metrics", _METRICS, numbers)


def _quantities() -> Iterator[list[Any]]:
    for scope in ("host", "service"):
        for name, high in _QUANTITIES[scope].items():
            yield [scope, None, None, name, 0.0, high]
    yield ["host", None, None, "cores", 8.0, 8.0]
    yield ["service", None, None, "accept_queue_limit", 2048.0, 2048.0]
    for number in range(WORKERS):
        for name, high in _QUANTITIES["process"].items():
            yield ["process", FIRST_PID + number, "worker", name, high / 4, high]


def _save(
    run: RunFolder, connection: duckdb.DuckDBPyConnection, table: str, query: str, numbers: dict[str, Any]
) -> None:
    """Add what `query` gives to the empty table, with its columns and types; later queries may read it."""
    path, new = run.tables / f"{table}.parquet", run.tables / f"{table}.new"
    text = query
    for name, value in sorted(numbers.items(), reverse=True):
        text = text.replace(f"${name}", str(value))
    columns = connection.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()
    given = {row[0] for row in connection.execute(f"DESCRIBE {text}").fetchall()}
    listed = ", ".join(
        f'{f"{chr(34)}{name}{chr(34)}" if name in given else "NULL"}::{kind} AS "{name}"'
        for name, kind, *_ in columns
    )
    connection.execute(f"COPY (SELECT {listed} FROM ({text})) TO '{new}' (FORMAT parquet)")
    new.rename(path)
    connection.execute(f"CREATE VIEW {table} AS SELECT * FROM '{path}'")


def _stacks() -> list[list[str]]:
    """Stacks of a growing tree of `NODES` nodes: twelve frames of a server and a framework, then branches of up to `DEEPEST`."""
    chance = random.Random(3)
    labels = [_label(chance, number) for number in range(FRAMES)]
    parents, frames, depths, leaves = list(range(-1, 11)), list(range(12)), list(range(12)), []
    while len(parents) < NODES:
        node = 11 if chance.random() < 0.02 else chance.randrange(11, len(parents))
        for _ in range(chance.randint(1, 12)):
            if depths[node] > DEEPEST:
                break
            parents.append(node)
            frames.append(chance.randrange(12, FRAMES))
            depths.append(depths[node] + 1)
            node = len(parents) - 1
        leaves.append(node)
    return [_path(leaf, parents, frames, labels) for leaf in dict.fromkeys(leaves)]


def _path(node: int, parents: list[int], frames: list[int], labels: list[str]) -> list[str]:
    path = []
    while node >= 0:
        path.append(labels[frames[node]])
        node = parents[node]
    return path[::-1]


def _label(chance: random.Random, number: int) -> str:
    line = number % 500 + 1
    if number < 12:
        return f"run_{number} (/srv/venv/lib/python3.11/site-packages/gunicorn/app/step_{number}.py:{line})"
    name = f"function_{number % 1700}"
    file = chance.choice(
        (
            f"/srv/shop/shop/part_{number % 9}/module_{number % 160}.py",
            f"/srv/venv/lib/python3.11/site-packages/lib_{number % 90}/module_{number % 400}.py",
            f"/srv/venv/lib/python3.11/site-packages/lib_{number % 90}/core.py",
            f"/usr/lib/python3.11/json/part_{number % 20}.py",
        )
    )
    return f"{name} ({file}:{line})"
