"""Births and deaths of workers, recording beside watching, and the end of both, with a real agent."""

from __future__ import annotations

import base64
import os
import signal
import time
import urllib.request
import zlib
from typing import TYPE_CHECKING

from tests.gunicorns import Gunicorn, children_of, running, until
from tests.integration.agent.load import Load
from tests.integration.agent.watching import deaths, exits_are_told, sample, watch

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.agent.driver import Agent


def test_births_and_deaths_are_told_once_with_how_they_ended(agent: Agent, folder: Path) -> None:
    with Gunicorn(folder / "births") as gunicorn:
        first = gunicorn.worker_pids
        present = watch(agent, gunicorn.pid, None)
        assert sorted(worker["pid"] for worker in present["born"]) == first
        assert present["died"] == []
        os.kill(first[0], signal.SIGKILL)
        killed_ns = time.time_ns()
        died = agent.wait("workers")
        assert [worker["pid"] for worker in died["died"]] == [first[0]]
        assert 0 <= died["t"] - killed_ns < 0.7e9, "told when it happens, not at the next look"
        if exits_are_told():
            assert died["died"][0]["exit"] == {"signal": signal.SIGKILL}
        born = died["born"] or agent.wait("workers")["born"]
        assert [worker["pid"] for worker in born] == [pid for pid in gunicorn.worker_pids if pid not in first]

        before = gunicorn.worker_pids
        gunicorn.signal(signal.SIGHUP)
        ended = deaths(agent, 2)
        assert set(ended) == set(before)
        if exits_are_told():
            assert list(ended.values()) == [{"code": 0}] * 2, "they were asked to end, and did"
        agent.stop()
        told = [
            worker["pid"] for line in agent.messages if line["type"] == "workers" for worker in line["born"]
        ]
        assert len(told) == len(set(told))


def test_watching_begins_while_recording_and_one_stop_ends_both(agent: Agent, folder: Path) -> None:
    with Gunicorn(folder / "both") as gunicorn:
        first = gunicorn.worker_pids
        agent.record(gunicorn.pid)
        os.kill(first[0], signal.SIGKILL)
        assert list(deaths(agent, 1)) == [first[0]]
        until(lambda: len(set(gunicorn.worker_pids) - {first[0]}) == 2, "the new worker")
        agent.say(op="watch", interval_s=0.2, logs=None)
        agent.wait("watching")
        assert sorted(worker["pid"] for worker in agent.wait("workers")["born"]) == gunicorn.worker_pids
        second = gunicorn.worker_pids[0]
        os.kill(second, signal.SIGKILL)
        assert list(deaths(agent, 1)) == [second], "once, whoever wants to know it"
        agent.wait("metrics")
        agent.wait_chunks("wall", 2)
        agent.say(op="stop")
        agent.wait("stopped")
        after = agent.messages[next(i for i, one in enumerate(agent.messages) if one["type"] == "stopped") :]
        assert len(after) == 1
        died = [
            worker["pid"] for line in agent.messages if line["type"] == "workers" for worker in line["died"]
        ]
        assert sorted(died) == sorted([first[0], second])
        assert agent.bye() == 0


def test_recording_begins_while_watching(agent: Agent, service: Gunicorn) -> None:
    watch(agent, service.pid)
    agent.say(op="record", views=["wall"], rate_hz=100, chunk_s=1.0)
    agent.wait("recording", timeout_s=30)
    with Load(service):
        agent.wait_chunks("wall", 2)
    count = sum(1 for one in agent.messages if one["type"] == "metrics")
    assert count > 5, "recording does not keep the metrics waiting"
    agent.stop()
    assert agent.samples("wall", "hot_function") > 5


def test_a_recording_may_end_before_the_watching(agent: Agent, service: Gunicorn) -> None:
    watch(agent, service.pid)
    agent.say(op="stop", only="recording")
    assert agent.wait("error", "stopped")["code"] == "protocol", "there is none"
    agent.say(op="record", views=["wall", "cpu"], rate_hz=50, chunk_s=5.0)
    agent.wait("recording", timeout_s=30)
    agent.say(op="stop", only="recording")
    until(
        lambda: (
            {chunk["view"] for chunk in agent.chunks if chunk["seq"]} == {"wall", "cpu"} or not agent.next()
        ),
        "both",
    )
    agent.wait("metrics")
    agent.wait("metrics")
    assert not any(message["type"] == "stopped" for message in agent.messages)
    agent.stop()
    assert agent.bye() == 0


def test_a_recording_that_ends_with_the_arbiter_does_not_end_the_watching(agent: Agent, folder: Path) -> None:
    with Gunicorn(folder / "gone") as gunicorn:
        workers = gunicorn.worker_pids
        watch(agent, gunicorn.pid)
        agent.say(op="record", views=["wall"], rate_hz=100, chunk_s=1.0)
        agent.wait("recording", timeout_s=30)
        gunicorn.signal(signal.SIGTERM)
        gunicorn.process.wait(10)
        seen: list[str] = []
        died: list[int] = []

        def all_over() -> bool:
            message = agent.next()
            assert message
            seen.append(message["type"])
            if message["type"] == "error":
                assert (message["code"], message["fatal"]) == ("gone", True)
            died.extend(worker["pid"] for worker in message.get("died", []))
            return "error" in seen and "chunk" in seen and seen[-1] == "metrics" and sorted(died) == workers

        until(all_over, "the last chunks, and metrics after them")
        assert sorted(died) == workers
        assert "stopped" not in seen, "watching is under way: stop comes first"
        last = agent.wait("metrics")
        assert last["processes"] == []
        assert last["host"]["cores"] >= 1
        agent.stop()
        assert agent.bye() == 0


def test_an_upgrade_is_followed_while_watching(agent: Agent, folder: Path) -> None:
    with Gunicorn(folder / "upgrade") as gunicorn:
        watch(agent, gunicorn.pid)
        before = gunicorn.worker_pids
        gunicorn.signal(signal.SIGUSR2)
        new = until(lambda: set(gunicorn.worker_pids) - set(before), "the new arbiter").pop()
        until(lambda: len(children_of(new)) == 2, "its workers")
        gunicorn.signal(signal.SIGQUIT)
        try:
            gunicorn.process.wait(10)
            line = sample(
                agent,
                lambda line: [row["pid"] for row in line["processes"]][:1] == [new],
                "the new arbiter alone",
            )
            assert {row["pid"] for row in line["processes"]} == {new, *children_of(new)}
            queue = sample(agent, lambda line: "accept_queue" in line["service"], "its queue")
            assert queue["service"]["accept_queue"] == 0
            agent.stop()
        finally:
            os.kill(new, signal.SIGTERM)
            until(lambda: not running(new), "the new arbiter's end")


def test_stop_without_a_recording_and_nothing_twice(agent: Agent, service: Gunicorn) -> None:
    agent.say(op="watch", interval_s=1.0, logs=None)
    assert agent.wait("error", "watching")["code"] == "protocol", "find comes first"
    agent.say(op="stop")
    assert agent.wait("error", "stopped")["code"] == "protocol"
    agent.find(pid=service.pid)
    agent.say(op="watch", interval_s=0, logs=None)
    assert "interval_s must be" in agent.wait("error", "watching")["message"]
    watch(agent, service.pid, 0.1)
    agent.say(op="watch", interval_s=1.0, logs=None)
    assert agent.wait("error", "watching")["code"] == "protocol"
    agent.say(op="find", choice={"pid": service.pid})
    assert agent.wait("error", "found")["code"] == "protocol"
    agent.say(op="check")
    assert agent.wait("checked")["views"]["wall"]["valid"]
    agent.stop()
    agent.say(op="ping", t0=1)
    assert agent.wait("pong", "metrics", "workers")["type"] == "pong", "nothing is said after stopped"
    assert agent.bye() == 0


def test_the_last_lines_of_the_logs_come_before_stopped(agent: Agent, folder: Path) -> None:
    log = folder / "watched-access.log"
    with Gunicorn(folder / "logs", "sync", 1, ["--access-logfile", str(log)]) as gunicorn:
        assert agent.find(pid=gunicorn.pid)["type"] == "found"
        logs = {"find": True, "files": [], "units": [], "limit_bytes": 10_000_000}
        agent.say(op="watch", interval_s=0.2, logs=logs)
        answer = agent.wait("watching")
        number = next(row["source"] for row in answer["sources"] if row["path"] == str(log))
        assert agent.wait("workers")["born"]
        with urllib.request.urlopen(f"http://127.0.0.1:{gunicorn.port}/the-last-one", timeout=10) as reply:
            reply.read()
        until(lambda: "/the-last-one" in log.read_text(), "the line to be written")
        agent.stop()
    blocks = [line for line in agent.messages if line["type"] == "log_block" and line["source"] == number]
    text = b"".join(
        zlib.decompress(base64.b64decode(line["data"])) for line in blocks if line["what"] == "data"
    )
    assert b"GET /the-last-one" in text
    assert agent.messages[-1]["type"] == "stopped"
    assert agent.bye() == 0
