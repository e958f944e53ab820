"""Files of records, sent to the bundled service by the real command."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.gunicorns import until
from tests.integration.sender.sending import Sending, senders_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from toolkit.demo.service import DemoState

HALF_A_LINE = '{"id": "cut'
PARTS = "reports/*/load/records/parts/*.jsonl"


@contextmanager
def answering() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A service that answers everything, in a process of its own."""
    argv = [sys.executable, "-m", "benchmarks.answering"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}", process
        process.kill()


def test_each_record_is_sent_once_and_the_rest_is_listed(demo: DemoState, tmp_path: Path) -> None:
    sending = Sending(demo, tmp_path / "once", 200, order="shuffled")
    with sending.file.open("a") as file:
        file.write(f'[1]\n\n{{"id": "once-201", "text": "no recipient"}}\n{HALF_A_LINE}\n')
    sending.write_plan(
        order="shuffled", body={"id": "{{ id }}", "to": "{{ to }}", "text": "from {{ to }}: {{ text }}"}
    )
    code, entry, told = sending.send()
    assert code == 0, told
    assert {key: entry[key] for key in ("records", "answered", "unknown", "unsent", "invalid")} == {
        "records": 203,
        "answered": 200,
        "unknown": 0,
        "unsent": 0,
        "invalid": 3,
    }
    assert [(row["record"], row["line"]) for row in entry["invalid_records"]] == [
        (201, 201),
        (202, 203),
        (203, 204),
    ]
    assert entry["invalid_records"][0]["problem"] == "no object but a list"
    assert entry["invalid_records"][1]["problem"] == "it has no field 'to'"
    arrived = sending.arrived()
    assert len(arrived) == 200
    assert set(arrived.values()) == {1}
    with closing(sqlite3.connect(demo.database)) as database:
        text, request_id = database.execute(
            "SELECT text, request_id FROM messages WHERE id = 'once-7'"
        ).fetchone()
    assert text == f"from csr1: {'x' * 40}"
    assert request_id.endswith("-7")  # the record's number
    said = (sending.latest() / "summary.txt").read_text()
    assert "records      203       200        0       0        0        3" in said
    assert "Requests completed:  200" in said
    page = (sending.latest() / "report.html").read_text()
    assert "Records sent from files" in page
    assert "it has no field &#39;to&#39;" in page


def test_in_order_on_one_connection_means_in_order(demo: DemoState, tmp_path: Path) -> None:
    sending = Sending(demo, tmp_path / "order", 1)
    rows = [{"id": f"order-{number}", "to": "a, b", "text": 'said "hi"\nand left'} for number in range(1, 41)]
    sending.file = sending.folder / "records.json"
    sending.file.write_text(json.dumps(rows, indent=1))
    sending.write_plan(processes=1, connections=1)
    code, entry, told = sending.send()
    assert (code, entry["answered"]) == (0, 40), told
    with closing(sqlite3.connect(demo.database)) as database:
        found = database.execute("SELECT id FROM messages WHERE id LIKE 'order-%' ORDER BY number").fetchall()
    assert [row[0] for row in found] == [row["id"] for row in rows]


def test_a_table_of_rows(demo: DemoState, tmp_path: Path) -> None:
    sending = Sending(demo, tmp_path / "rows", 1)
    sending.file = sending.folder / "records.csv"
    sending.file.write_text('id,to,text\nrows-1,"a, b","two\nlines"\nrows-2,x\nrows-3,c,d\n')
    sending.write_plan(processes=1)
    code, entry, told = sending.send()
    assert (code, entry["answered"], entry["invalid"]) == (0, 2, 1), told
    assert entry["invalid_records"] == [
        {"record": 2, "line": 4, "problem": "2 fields where the header has 3"}
    ]
    with closing(sqlite3.connect(demo.database)) as database:
        row = database.execute("SELECT recipient, text FROM messages WHERE id = 'rows-1'").fetchone()
    assert row == ("a, b", "two\nlines")


def test_one_of_three_that_is_killed_gives_back_what_it_held(demo: DemoState, tmp_path: Path) -> None:
    sending = Sending(demo, tmp_path / "one", 600, rate=300)
    call = sending.start(str(sending.plan))
    deadline = time.monotonic() + 60
    while len(senders_of(call.pid)) < 3 or len(sending.arrived()) < 20:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    senders_of(call.pid)[1].kill()
    out, _ = call.communicate(timeout=100)
    assert call.returncode == 97
    entry = json.loads(out)["summary"]["traffic"][0]
    assert entry["unsent"] == 0
    assert entry["answered"] + entry["unknown"] == 600
    assert entry["unknown"] <= 2  # one for each of its connections
    arrived = sending.arrived()
    assert max(arrived.values()) == 1
    assert len(arrived) >= entry["answered"]


def test_ctrl_c_then_resume_sends_the_rest(demo: DemoState, tmp_path: Path) -> None:
    sending = Sending(demo, tmp_path / "stop", 500, rate=200)
    call = sending.start(str(sending.plan))
    deadline = time.monotonic() + 60
    while len(sending.arrived()) < 50:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    call.send_signal(signal.SIGINT)
    call.communicate(timeout=100)
    assert call.returncode == 130
    first = sending.latest()
    before = len(sending.arrived())
    assert before < 500
    code, entry, told = sending.send("--resume", str(first))
    assert code == 0, told
    assert (entry["answered"], entry["unknown"], entry["unsent"]) == (500, 0, 0)
    assert entry["before"] == {"answered": before, "unknown": 0}
    assert entry["statuses"] == {"201": 500 - before}
    assert set(sending.arrived().values()) == {1}
    # The chain goes on from the newest; an older one would send again.
    code, _, told = sending.send("--resume", str(first))
    assert code == 2
    assert "was resumed already" in told


def test_a_service_that_does_not_answer_leaves_unknown_records(demo: DemoState, tmp_path: Path) -> None:
    sending = Sending(demo, tmp_path / "stuck", 30, processes=2, connections=1, timeout="300ms", rate=30)
    call = sending.start(str(sending.plan))
    deadline = time.monotonic() + 60
    while len(sending.arrived()) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    workers = _workers(demo)
    try:
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(1)
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
    out, told = call.communicate(timeout=100)
    entry: dict[str, Any] = json.loads(out)["summary"]["traffic"][0]
    assert entry["unknown"] > 0, told
    assert {row["problem"] for row in entry["unknown_records"]} == {"ETIMEDOUT"}
    listed = (sending.latest() / "exports" / "records-unknown.jsonl").read_text().splitlines()
    assert len(listed) == entry["unknown"]
    time.sleep(0.5)
    assert max(sending.arrived().values()) == 1


def _workers(demo: DemoState) -> list[int]:
    return [child.pid for child in psutil.Process(demo.gunicorn.pid).children()]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("records.jsonl", "", "is empty"),
        ("records.json", "[]", "holds no record"),
        ("records.json", '[{"a": 1},\n {"a": }]', "records.json:2: this is no JSON"),
        ("records.json", '{"a": 1}', "this is no JSON array"),
        ("records.csv", "a,a\n1,2\n", "two fields are called 'a'"),
        ("records.csv", "a,b\n", "holds no record below its header"),
        ("records.jsonl", '[1]\n"x"\n', "The first: "),
        ("records.jsonl", '{"a": 1}\n', "it has no field 'id'"),
        ("records.txt", "x\n", "is no file of records by its name"),
    ],
)
def test_bad_files_are_refused_before_any_load(
    demo: DemoState, tmp_path: Path, name: str, content: str, says: str
) -> None:
    sending = Sending(demo, tmp_path / "bad", 1)
    sending.file = sending.folder / name
    sending.file.write_text(content)
    sending.write_plan(body={"id": "{{ id }}"})
    code, _, told = sending.send()
    assert code == 2, told
    assert says in told
    assert not (sending.folder / "reports").exists()


def test_only_a_run_is_resumed(demo: DemoState, tmp_path: Path) -> None:
    sending = Sending(demo, tmp_path / "none", 1)
    code, _, told = sending.send("--resume", str(tmp_path))
    assert code == 2
    assert "is not a run folder" in told


def test_another_file_is_not_resumed(demo: DemoState, tmp_path: Path) -> None:
    sending = Sending(demo, tmp_path / "other", 5)
    code, _, told = sending.send()
    assert code == 0, told
    with sending.file.open("a") as file:
        file.write('{"id": "other-6", "to": "a", "text": "b"}\n')
    code, _, told = sending.send("--resume", str(sending.latest()))
    assert code == 2
    assert "its content is another one" in told


@pytest.mark.long
def test_a_target_that_goes_away_costs_no_record(demo: DemoState, tmp_path: Path) -> None:
    sending = Sending(demo, tmp_path / "down", 400, rate=100, timeout="2s")
    with answering() as (url, service):
        sending.write_plan(rate=100, timeout="2s")
        plan = json.loads(sending.plan.read_text())
        sending.plan.write_text(json.dumps({**plan, "target": url}))
        call = sending.start(str(sending.plan))
        until(
            lambda: sum(part.read_bytes().count(b"\n") for part in sending.folder.glob(PARTS)) > 40,
            "requests",
        )
        service.kill()
        out, told = call.communicate(timeout=100)
    assert call.returncode == 97, told
    assert "records were not sent: the target refused connections for 10 s" in told
    entry = json.loads(out)["summary"]["traffic"][0]
    assert entry["unsent"] > 200
    assert entry["unknown"] <= 6  # one for each connection
    code, after, told = sending.send(
        str(sending.plan), "--target", demo.url, "--resume", str(sending.latest())
    )
    assert code == 0, told
    assert (after["unsent"], after["answered"] + after["unknown"]) == (0, 400)
    arrived = sending.arrived()
    assert sum(arrived.values()) == len(arrived) == entry["unsent"]
