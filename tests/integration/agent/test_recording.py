"""Real recordings of real gunicorns: the hot function is in them, and they follow the workers wherever these go."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.gunicorns import Gunicorn, children_of, running, until
from tests.integration.agent.driver import Agent, Message, pack
from tests.integration.agent.interpreters import interpreter
from tests.integration.agent.load import Load

if TYPE_CHECKING:
    from collections.abc import Iterator

CLASSES = [
    ("sync", [], "sync"),
    ("gthread", ["--threads", "4"], "gthread"),
    ("gevent", [], "gevent"),
    ("asgi", [], "asgi"),
    ("uvicorn_worker.UvicornWorker", [], "uvicorn_worker.UvicornWorker"),
]


@pytest.mark.parametrize(("worker_class", "arguments", "shown"), CLASSES, ids=[item[0] for item in CLASSES])
def test_the_hot_function_is_recorded(
    folder: Path, agent: Agent, worker_class: str, arguments: list[str], shown: str
) -> None:
    with Gunicorn(folder / "k", worker_class, 2, arguments) as gunicorn:
        agent.find(port=gunicorn.port)
        agent.say(op="check")
        checked = agent.wait("checked")
        assert checked["gunicorn"]["worker_class"] == shown
        assert checked["gunicorn"]["workers"] == 2
        assert checked["python"] == ".".join(map(str, sys.version_info[:3]))
        if worker_class == "gevent":
            assert "greenlet" in checked["notes"][0]
        agent.record(gunicorn.pid, views=["wall", "cpu"])
        with Load(gunicorn) as load:
            agent.wait_chunks("cpu", 3)
        agent.stop()

    for view in ("wall", "cpu"):
        hot = sum(agent.samples(view, "hot_function", pid) for pid in load.answered)
        assert hot > 30, (view, hot)
        assert hot == agent.samples(view, "hot_function"), "every sample belongs to a worker that answered"
    total = sum(int(line.rpartition(" ")[2]) for line in agent.lines("cpu"))
    assert agent.samples("cpu", "hot_function") > 0.4 * total, "the cpu view holds what runs, not what waits"
    assert agent.bye() == 0


def test_chunks_lie_on_the_clock_without_a_gap(agent: Agent, service: Gunicorn) -> None:
    asked = time.time_ns()
    answer = agent.record(service.pid, views=["wall", "cpu"], chunk_s=2.0)
    assert set(agent.files) >= {"wall-000000.raw.gz", "cpu-000000.raw.gz"}, (
        "the first samples were seen before the answer"
    )
    assert agent.lines("wall")
    assert (time.time_ns() - asked) / 1e9 < 4
    assert answer["views"]["wall"] == {"valid": True, "reason": None, "recorded_as": "wall", "rate_hz": 100.0}
    with Load(service):
        agent.wait_chunks("wall", 3)
    agent.stop()

    for view in ("wall", "cpu"):
        chunks = sorted(
            (chunk for chunk in agent.chunks if chunk["view"] == view), key=lambda chunk: chunk["seq"]
        )
        assert [chunk["seq"] for chunk in chunks] == list(range(len(chunks)))
        if chunks[-1]["note"] == "stopped before it sampled":  # the end fell on a boundary: nothing is lost
            assert chunks.pop()["samples"] is None
        for before, after in pairwise(chunks[1:]):
            assert (
                after["start_ns"] <= before["end_ns"] + 1e6
            ), (  # this machine's clock is corrected by microseconds
                "the next recorder samples before the last is stopped"
            )
            # Each recorder starts in some hundredths of a second; on a busy machine the last of them takes longer.
            assert (before["end_ns"] / 1e9) % 2 < 0.8, "a boundary is on the clock"
        for chunk in chunks:
            assert chunk["exit_code"] == 0, chunk
            assert chunk["note"] is None
            assert 0 < chunk["cpu_s"] < 2
            assert chunk["bytes"] == len(agent.files[f"{view}-{chunk['seq']:06d}.raw.gz"])
            samples = sum(int(line.rpartition(" ")[2]) for line in _lines_of(agent, view, chunk["seq"]))
            assert samples == chunk["samples"]
    for name in agent.files:
        agent.say(op="ack", name=name)
    agent.say(op="ping", t0=7)
    assert agent.wait("pong")["t0"] == 7
    kept = {path.name for path in (agent.folder / "recordings").iterdir()}
    assert kept == {"about.json", "chunks.jsonl"}, "what the controller has is not kept"
    assert list((agent.folder / "running").iterdir()) == []


def _lines_of(agent: Agent, view: str, seq: int) -> list[str]:
    only = Agent.lines
    kept = agent.files
    try:
        agent.files = {f"{view}-{seq:06d}.raw.gz": kept[f"{view}-{seq:06d}.raw.gz"]}
        return only(agent, view)
    finally:
        agent.files = kept


def test_workers_that_die_and_are_born_are_followed(folder: Path, agent: Agent) -> None:
    with Gunicorn(folder / "f") as gunicorn:
        agent.record(gunicorn.pid)
        first = gunicorn.worker_pids
        os.kill(first[0], signal.SIGKILL)
        replaced = agent.wait("workers")
        if not replaced["born"]:
            replaced["born"] = agent.wait("workers")["born"]
        assert [worker["pid"] for worker in replaced["died"]] == first[:1]

        gunicorn.signal(signal.SIGHUP)
        until(
            lambda: len(gunicorn.worker_pids) == 2 and not set(gunicorn.worker_pids) & set(first),
            "the reloaded workers",
        )
        newest = set(gunicorn.worker_pids) - {worker["pid"] for worker in replaced["born"]}
        agent.wait_chunks("wall", 1)
        with Load(gunicorn) as load:
            agent.wait_chunks("wall", 3)
        agent.stop()

    assert newest & load.answered
    for pid in newest & load.answered:
        assert agent.samples("wall", "hot_function", pid) > 5


def test_an_upgrade_is_followed_to_the_new_arbiter(folder: Path, agent: Agent) -> None:
    with Gunicorn(folder / "u") as gunicorn:
        agent.record(gunicorn.pid)
        before = gunicorn.worker_pids
        gunicorn.signal(signal.SIGUSR2)
        new = until(lambda: set(gunicorn.worker_pids) - set(before), "the new arbiter").pop()
        until(lambda: len(children_of(new)) == 2, "its workers")
        until(
            lambda: any(message["type"] == "workers" for message in [agent.next()] if message),
            "the new workers were seen",
        )
        try:
            gunicorn.signal(signal.SIGQUIT)
            assert f"recording the arbiter {new}" in agent.wait("log")["message"]
            gunicorn.process.wait(10)
            agent.wait_chunks("wall", 1)
            with Load(gunicorn) as load:
                agent.wait_chunks("wall", 3)
            agent.stop()
            answered = load.answered & set(children_of(new))
        finally:
            os.kill(new, signal.SIGTERM)
            until(lambda: not running(new), "the new arbiter's end")

    assert answered
    assert all(agent.samples("wall", "hot_function", pid) for pid in answered)


@pytest.mark.parametrize("chunk_s", [1.0, 20.0], ids=["whole tree", "one by one"])
def test_the_new_arbiter_of_an_upgrade_is_no_worker(folder: Path, agent: Agent, chunk_s: float) -> None:
    """While both arbiters live: what is recorded of the new one stands under itself, as the old one's does."""
    with Gunicorn(folder / f"m{chunk_s:.0f}") as gunicorn:
        before = gunicorn.worker_pids
        agent.record(gunicorn.pid, chunk_s=chunk_s)
        gunicorn.signal(signal.SIGUSR2)
        new = until(lambda: set(gunicorn.worker_pids) - set(before), "the new arbiter").pop()
        workers = set(until(lambda: len(found := children_of(new)) == 2 and found, "its workers"))
        while not workers <= _born(agent):
            agent.wait("workers")
        logs = agent.folder / "running"
        if chunk_s > 1:
            for pid in (new, *workers):
                until(partial(_samples_now, logs, f"*-{pid}-0.log"), "each one's recorder")
        else:
            agent.wait_chunks("wall", 2)
        agent.stop()
    chains = {tuple(int(pid) for pid in re.findall(r'process (\d+):"', line)) for line in agent.lines("wall")}
    under_new = {chain for chain in chains if chain[0] == new}
    assert under_new, (
        "nothing of the new arbiter's tree"
    )  # at a few Hz not each of its processes need be seen
    assert under_new <= {(new,), *((new, pid) for pid in workers)}
    assert not any(new in chain[1:] for chain in chains)
    assert not any(chain[0] == gunicorn.pid and workers & set(chain) for chain in chains)
    assert {(gunicorn.pid, pid) for pid in before} & chains


def _born(agent: Agent) -> set[int]:
    return {one["pid"] for line in agent.messages if line["type"] == "workers" for one in line["born"]}


def _samples_now(folder: Path, pattern: str) -> bool:
    return any("Sampling process" in log.read_text() for log in folder.glob(pattern))


@pytest.mark.needs_root
def test_a_disk_that_fills_up_is_told_as_such(service: Gunicorn, small_disk: Path) -> None:
    """Noticed where samples are put together, before the look at the free space: that comes once a second."""
    pack(small_disk)
    with Agent(folder=small_disk, hello={"grace_s": 20}) as agent:
        agent.record(service.pid, views=["wall", "cpu"], chunk_s=30.0)
        agent.process.send_signal(signal.SIGSTOP)
        recorders = psutil.Process(agent.process.pid).children()
        for recorder in recorders:
            recorder.send_signal(signal.SIGINT)  # they write what they have
        until(lambda: all(one.status() == psutil.STATUS_ZOMBIE for one in recorders), "their end")
        with contextlib.suppress(OSError), (small_disk / "fill").open("wb", buffering=0) as fill:
            while True:
                fill.write(bytes(65536))
        agent.process.send_signal(signal.SIGCONT)
        while agent.next()["type"] != "stopped":  # type: ignore[index]
            pass
        errors = [message for message in agent.messages if message["type"] == "error"]
        assert [(error["code"], error["fatal"]) for error in errors] == [("no-space", True)]
        assert str(small_disk) in errors[0]["message"]
        assert "TMPDIR" in errors[0]["hint"]
        assert any("No space left on device" in (chunk["note"] or "") for chunk in agent.chunks)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 90 MB, empty."""
    folder = tmp_path / "small"
    folder.mkdir()
    argv = ["mount", "-t", "tmpfs", "-o", "size=90m,mode=0700", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(argv, check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_an_arbiter_that_ends_ends_the_recording_and_nothing_is_lost(folder: Path, agent: Agent) -> None:
    with Gunicorn(folder / "g") as gunicorn:
        agent.record(gunicorn.pid)
        with Load(gunicorn):
            agent.wait_chunks("wall", 2)
        gunicorn.signal(signal.SIGTERM)
        error = _awaited(agent, "error")
        assert error["code"] == "gone"
        assert error["fatal"] is True
        _awaited(agent, "stopped")

    assert agent.samples("wall", "hot_function") > 10
    assert agent.bye() == 0


def _awaited(agent: Agent, kind: str) -> Message:
    while True:
        message = agent.next()
        assert message is not None
        if message["type"] == kind:
            return message


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_recorder_that_dies_is_replaced_and_the_chunk_says_so(
    agent: Agent, service: Gunicorn, number: int
) -> None:
    agent.record(service.pid, chunk_s=3.0)
    os.kill(_recorders(agent)[-1], number)

    chunks = [agent.wait("chunk") for _ in range(2)]
    told = [chunk for chunk in chunks if "ended by itself" in (chunk["note"] or "")]
    assert told, "the chunk in which it died says so"
    assert all(chunk["exit_code"] == 0 and chunk["samples"] > 0 for chunk in chunks), "the others go on"
    agent.stop()


def _recorders(agent: Agent) -> list[int]:
    return [
        pid
        for pid in children_of(agent.process.pid)
        if b"py-spy" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def test_the_default_budget_is_kept(agent: Agent, service: Gunicorn) -> None:
    answer = agent.record(service.pid, views=["wall", "cpu"], rate_hz=None, budget_percent=20.0, chunk_s=2.0)
    rate = answer["views"]["wall"]["rate_hz"]
    assert 1 <= rate <= 100
    assert answer["budget"]["percent"] == 20.0
    with Load(service):
        agent.wait_chunks("cpu", 5)
    agent.stop()

    full = [chunk for chunk in agent.chunks if chunk["end_ns"] - chunk["start_ns"] > 1.5e9][2:]
    used = sum(chunk["cpu_s"] for chunk in full)
    lasted = sum(chunk["end_ns"] - chunk["start_ns"] for chunk in full) / 1e9 / 2
    assert 100 * used / lasted < 32, "far beyond the budget, even on a noisy machine"


@pytest.mark.parametrize("version", ["3.7", "3.8", "3.13"])
def test_the_servers_python_may_be_old_or_new(service: Gunicorn, version: str) -> None:
    python = interpreter(version)
    with Agent(python=python, hello={"grace_s": 20}) as agent:
        assert agent.greeting["python"].startswith(version + ".")
        assert agent.greeting["facts"]["psutil"], "the pushed psutil is for every Python"
        agent.record(service.pid, views=["wall", "cpu"])
        with Load(service):
            agent.wait_chunks("cpu", 2)
        agent.stop()
        assert agent.samples("cpu", "hot_function") > 5
        assert agent.bye() == 0
        assert agent.stderr == b""


def test_a_bad_line_is_answered_and_stops_nothing(agent: Agent, service: Gunicorn) -> None:
    agent.record(service.pid)
    for line in (
        b"not json\n",
        b"\xff\n",
        b'{"op":"no-such"}\n',
        b'{"op":"find"}\n',
        b'{"op":"ack","name":"../../x"}\n',
    ):
        agent.raw(line)
        assert _awaited(agent, "error")["code"] == "protocol"
    agent.wait_chunks("wall", 1)
    agent.stop()
    assert agent.bye() == 0
    assert b"Traceback" not in agent.stderr


def test_the_first_line_must_be_hello_of_our_protocol() -> None:
    with Agent() as agent:
        agent.say(op="find")
        assert _awaited(agent, "error")["code"] == "protocol"
        agent.say(op="hello", protocol=99)
        assert "protocol 1" in _awaited(agent, "error")["message"]
        agent.say(op="bye")
        assert agent.end() == 0


def test_what_is_no_gunicorn_is_never_recorded(agent: Agent) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        assert agent.find(pid=other.pid)["code"] == "not-gunicorn"
        agent.say(op="record")
        assert "find comes first" in _awaited(agent, "error")["message"]
    finally:
        other.kill()
        other.wait()


def test_frames_carry_thread_and_full_path(agent: Agent, service: Gunicorn) -> None:
    agent.record(service.pid)
    with Load(service):
        agent.wait_chunks("wall", 1)
    agent.stop()

    hot = next(line for line in agent.lines("wall") if "hot_function" in line)
    assert re.search(r"thread \(\d+\)", hot)
    assert f"hot_function ({service.folder}/service_wsgi.py:" in hot
