"""From a server's log files to the sentence: what gunicorn writes, read and joined."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.joined_runs import at
from tests.run_folders import SECOND_NS, START_NS, RunFolderBuilder, failed, request
from tests.server_logs import ServerLogs
from toolkit.analysis.results import read_results
from toolkit.analysis.tables import open_tables

if TYPE_CHECKING:
    from pathlib import Path

OFFSET_S = 7
"""The server's clock is so much behind the controller's."""
TRACEBACK = """\
Traceback (most recent call last):
  File "/srv/venv/lib/python3.11/site-packages/flask/app.py", line 1511, in wsgi_app
    response = self.full_dispatch_request()
  File "/srv/shop/broker/client.py", line 61, in publish
    self.socket.send(message)
TimeoutError: timed out
"""


def stamp(at_s: float, form: str) -> str:
    """A time after the run's start as the server wrote it."""
    return datetime.fromtimestamp((START_NS + (at_s - OFFSET_S) * SECOND_NS) / 1e9, UTC).strftime(form)


def access(at_s: float, target: str, status: int, method: str = "GET") -> str:
    """gunicorn's default access line: whole seconds, no id, no duration."""
    time = stamp(at_s, "[%d/%b/%Y:%H:%M:%S +0000]")
    return f'127.0.0.1 - - {time} "{method} {target} HTTP/1.1" {status} 12 "-" "artillery"\n'


def error(at_s: float, level: str, message: str, pid: int = 701) -> str:
    return f"{stamp(at_s, '[%Y-%m-%d %H:%M:%S +0000]')} [{pid}] [{level}] {message}\n"


class Recorded:
    """A run with one server's error and access logs, read half a second after they were written."""

    def __init__(self, root: Path) -> None:
        self.builder = RunFolderBuilder(root)
        self.builder.server("app", {}, offset_ns=OFFSET_S * SECOND_NS)
        self.logs = ServerLogs(self.builder.run, "app")
        self.error = self.logs.source("/var/log/shop/error.log", role="error", start_s=-OFFSET_S)
        self.access = self.logs.source("/var/log/shop/access.log", role="access", start_s=-OFFSET_S)

    def write(self, source: int, at_s: float, text: str) -> None:
        self.logs.block(source, at_s - OFFSET_S + 0.5, text)

    def read(self, requests: list[dict[str, Any]]) -> dict[str, Any]:
        self.builder.load("http", requests)
        return read_results(self.builder.build()).summary


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "127.0.0.1|711|14:30:01|GET /data HTTP/1.1|200\n",
            "No access log of server app was recorded: no line of /var/log/shop/access.log could be read as one of an",
        ),
        ("", "No line of a log of server app was recorded: nothing was written to /var/log/shop/access.log:"),
    ],
)
def test_a_log_that_is_there_is_not_said_to_be_missing(tmp_path: Path, written: str, said: str) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.server("app", {})
    logs = ServerLogs(builder.run, "app")
    source = logs.source("/var/log/shop/access.log")
    if written:
        logs.block(source, 2.0, written)
    builder.load("http", [request(1, 12, status=504)])

    (note,) = read_results(builder.build()).summary["server_errors"]["notes"]

    assert note.startswith(said)


def test_an_access_log_of_which_no_line_could_be_read_is_said_to_be_one_and_read_by_the_plans_format(
    tmp_path: Path,
) -> None:
    def run(name: str, access_format: str) -> dict[str, Any]:
        builder = RunFolderBuilder(tmp_path / name)
        builder.server("app", {})
        builder.manifest.servers[-1].access_format = access_format
        logs = ServerLogs(builder.run, "app")
        source = logs.source("/var/log/shop/access.log", role="access")
        logs.block(source, 2.0, "127.0.0.1|<711>|GET|/data|200|1234\n" * 3)
        builder.load("http", [request(1, 990, status=504)])
        summary = read_results(builder.build()).summary
        return {
            "missing": summary["missing"],
            "what": summary["server_errors"]["explanations"][0]["sentence"],
        }

    unread, known = run("a", ""), run("b", "%(h)s|%(p)s|%(m)s|%(U)s|%(s)s|%(D)s")
    said = "3 of 3 lines could not be read as lines of an access log: give gunicorn's access_log_format"
    assert any(said in one for one in unread["missing"])
    assert "(never reached a worker)" not in unread["what"], "nobody knows: the log could not be read"
    assert not any("could not be read" in one for one in known["missing"])


def test_gunicorns_default_logs_on_a_server_whose_clock_is_off(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    for second in range(1, 11):
        run.write(run.access, second, access(second + 0.01, "/data?page=2", 200))
    run.write(run.error, 12, error(12, "ERROR", "Error handling request /pay") + TRACEBACK)
    run.write(run.access, 12, access(12, "/pay", 500, "POST"))
    pay = {"name": "pay", "method": "POST", "url": "http://127.0.0.1:8000/pay"}

    summary = run.read(
        [
            *(request(second, 12, url="http://127.0.0.1:8000/data?page=") for second in range(1, 11)),
            request(11.9, 120, status=500, **pay),
            request(15, 120, status=504, **pay),
        ]
    )

    found = summary["server_errors"]
    assert found["joined"]["time"] == {"likely": 11}
    assert [one["sentence"] for one in found["explanations"]] == [
        "1 request got 500: it stands beside this traceback (TimeoutError at broker/client.py:61 publish), likely: by time and "
        "path.",
        "1 request got 504: it has no server line (never reached a worker), likely: by time and path.",
    ]
    (group,) = found["tracebacks"]
    assert (group["message"], group["place"], group["count"]) == (
        "timed out",
        "broker/client.py:61 publish",
        1,
    )
    assert group["chain"][-1]["frames"][-1]["code"] == "self.socket.send(message)"
    assert found["unseen"]["by_server"]["paths"] == [{"method": "POST", "path": "/pay", "count": 1}]
    assert found["unseen"]["by_client"]["count"] == 0
    assert found["split"] == []
    assert any("carries no request id" in note for note in found["notes"])
    assert any("has no duration" in note for note in found["notes"])


def test_a_worker_that_timed_out_names_the_requests_and_where_they_hung(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    hung = TRACEBACK.replace("TimeoutError: timed out", "SystemExit: 1")
    run.write(
        run.error,
        6,
        error(6, "CRITICAL", "WORKER TIMEOUT (pid:711)", 700)
        + error(6, "ERROR", "Error handling request GET /data", 711)
        + hung
        + error(6, "INFO", "Worker exiting (pid: 711)", 711)
        + error(7, "ERROR", "Worker (pid:711) exited with code 1", 700),
    )
    run.write(run.access, 6, access(6, "/data", 500))
    worker = {"pid": 711, "create_time": 1.0, "title": "worker"}
    server = run.builder.run.server("app")
    lines = [
        {"t_ns": at(-OFFSET_S), "born": [worker], "died": []},
        {"t_ns": at(7.5 - OFFSET_S), "born": [], "died": [worker]},
    ]
    server.workers.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")

    summary = run.read([request(1, 5030, status=500), request(8, 10, status=500, name="other")])

    first = summary["server_errors"]["explanations"][0]
    part = next(part for part in first["parts"] if part["what"] == "timeout")
    assert (part["count"], part["certainty"]) == (1, "likely")
    assert "killed for its timeout (PID 711; SystemExit at broker/client.py:61 publish)" in part["words"]


def test_the_demos_json_lines_join_by_id_and_split_the_latency(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    for number in range(1, 21):
        line = {
            "time": stamp(number, "%Y-%m-%dT%H:%M:%S.%f+00:00"),
            "method": "GET",
            "path": "/data",
            "status": 200,
            "bytes": 10,
            "duration_us": 8000,
            "request_id": f"r-{number}",
        }
        run.write(run.access, number, json.dumps(line) + "\n")

    summary = run.read([request(number, 10, request_id=f"r-{number}") for number in range(1, 21)])

    found = summary["server_errors"]
    assert found["joined"] == {"requests": 20, "id": {"certain": 20}, "time": {}, "none": 0, "other": 0}
    assert [(row["count"], row["server_p50_ms"], row["outside_p50_ms"]) for row in found["split"]] == [
        (20, 8.0, 2.0)
    ]
    assert found["notes"] == []


def test_the_table_stands_beside_the_others_and_can_be_asked(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    run.write(run.access, 1, access(1, "/data", 200))
    run.builder.load("http", [request(0.95, 60), failed(3, "ECONNREFUSED")])

    with open_tables(run.builder.build()) as tables:
        found = tables.sql(
            "SELECT requests.url, joined.joined_by, events.text, joined.what FROM joined JOIN requests USING (request_no) "
            "LEFT JOIN log_events AS events USING (server, source, position) ORDER BY request_no"
        ).fetchall()

    assert found[0][1:3] == ("time", access(1, "/data", 200).rstrip("\n"))
    assert (found[1][1], found[1][3]) == ("none", "refused")


def test_a_log_that_only_the_plan_names_stands_before_gunicorns(tmp_path: Path) -> None:
    """nginx's, whatever it is called, and longer than gunicorn's own."""
    builder = RunFolderBuilder(tmp_path)
    builder.server("app", {}, offset_ns=OFFSET_S * SECOND_NS)
    logs = ServerLogs(builder.run, "app")
    own = logs.source(
        "/srv/access.log", role="access", found="descriptor 4 of PID 700 (the arbiter)", start_s=-OFFSET_S
    )
    front = logs.source("/srv/front.log", role="access", found="named in the plan", start_s=-OFFSET_S)
    for number in range(4):
        for log in (own, front) if number < 3 else (front,):
            line = access(number + 1.1, "/data", 200 if number < 3 else 504)
            logs.block(log, number + 1.6 - OFFSET_S, line)
    builder.load("http", [*(request(number + 1, 12) for number in range(3)), request(4, 100, status=504)])
    (told,) = read_results(builder.build()).summary["server_errors"]["explanations"]
    assert (
        "answered by something in front of gunicorn: its log has it, gunicorn's has not" in told["sentence"]
    )
