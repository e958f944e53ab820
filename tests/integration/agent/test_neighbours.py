"""What one agent does about others: lists them, ends them, hands over what they left, and sweeps what is old."""

from __future__ import annotations

import gzip
import json
import os
import signal
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.gunicorns import running, until
from tests.integration.agent.driver import Agent
from tests.integration.agent.test_ending import recorders_of, stopped_threads

if TYPE_CHECKING:
    from tests.gunicorns import Gunicorn

FIRST = {"run": "20261130T080000Z-shop", "who": "ada@laptop", "grace_s": 20, "max_s": 100}
LATER = {"run": "stop", "who": "bob@desk", "grace_s": 60, "max_s": 100}


def test_an_agent_is_seen_ended_and_what_it_left_is_handed_over(service: Gunicorn) -> None:
    with Agent(hello=FIRST) as first:
        first.record(service.pid)
        first.wait_chunks("wall", 2)
        arrived = set(first.files)
        recorders = recorders_of(first)
        with Agent(hello=LATER) as later:
            later.say(op="others")
            (agent,) = [one for one in later.wait("others")["agents"] if one["pid"] == first.process.pid]
            assert (agent["run"], agent["who"]) == (FIRST["run"], "ada@laptop")
            assert abs(agent["since_ns"] / 1e9 - time.time()) < 60

            later.say(op="end", pid=first.process.pid)
            assert later.wait("ended", timeout_s=20)["pid"] == first.process.pid
            assert first.process.wait(5) == 1
            assert not any(running(pid) for pid in recorders)
            assert stopped_threads(service) == []

            later.say(op="others")
            (left,) = [one for one in later.wait("others")["left"] if one["folder"] == str(first.folder)]
            assert (left["run"], left["who"]) == (FIRST["run"], "ada@laptop")
            assert left["files"] >= len(arrived), "nobody said that any had come"

            later.say(op="adopt", folder=str(first.folder))
            while len(later.files) < left["files"]:
                later.next()
            assert {chunk["seq"] for chunk in later.chunks} >= {0, 1}
            assert first.folder.exists(), "it goes when all of it is acknowledged"
            for name, data in later.files.items():
                assert b"process " in gzip.decompress(data)
                later.say(op="ack", name=name)
            assert later.wait("adopted")["folder"] == str(first.folder)
            assert not first.folder.exists()
            assert later.bye() == 0


def test_what_a_killed_agent_left_is_handed_over_too(service: Gunicorn) -> None:
    with Agent(hello=FIRST) as first, Agent(hello=LATER) as later:
        first.record(service.pid)
        first.wait_chunks("wall", 2)
        recorders = recorders_of(first)
        first.process.kill()
        first.process.wait(5)
        until(lambda: not any(running(pid) for pid in recorders), "the recorders' end")
        later.say(op="adopt", folder=str(first.folder))
        while (message := later.next()) is not None and message["type"] != "adopted":
            if message["type"] == "file" and message["last"]:
                later.say(op="ack", name=message["name"])
        assert message is not None
        assert message["folder"] == str(first.folder)
        assert {"wall-000000.raw.gz", "wall-000001.raw.gz"} <= set(later.files)
        assert {0, 1} <= {chunk["seq"] for chunk in later.chunks}, "with the rows that it had written"
        assert not first.folder.exists()


def test_only_what_was_left_is_handed_over(service: Gunicorn, tmp_path: Path) -> None:
    outside = Path(tempfile.mkdtemp(prefix="toolkit."))
    secret = tmp_path / "secret"
    secret.write_text("nobody's business")
    (outside / "recordings").symlink_to(tmp_path)
    (tmp_path / "wall-000000.raw.gz").symlink_to(secret)
    try:
        with Agent(hello=FIRST) as working, Agent(hello=LATER) as later:
            working.find(pid=service.pid)
            for folder in ("/etc", str(working.folder), str(later.folder), f"{outside}/../..", "", "/tmp"):
                later.say(op="adopt", folder=folder)
                assert later.wait("error", "adopted")["type"] == "error", folder
            later.say(op="others")
            told = later.wait("others")["left"]
            assert not {str(working.folder), str(later.folder), str(outside)} & {
                one["folder"] for one in told
            }
            assert working.bye() == 0
    finally:
        (outside / "recordings").unlink()
        outside.rmdir()
    assert secret.exists()


def test_what_has_lain_for_a_day_is_swept_and_what_works_is_not(service: Gunicorn) -> None:
    old, young = (Path(tempfile.mkdtemp(prefix="toolkit.")) for _ in range(2))
    for folder in (old, young):
        (folder / "recordings").mkdir(mode=0o700)
        (folder / "recordings" / "about.json").write_text(json.dumps({"run": "r", "who": "w"}))
    yesterday = time.time() - 24.1 * 3600
    with Agent(hello=FIRST) as working:
        working.find(pid=service.pid)
        for folder in (old, working.folder):
            for path in (*folder.rglob("*"), folder):
                os.utime(path, (yesterday, yesterday))
        with Agent(hello=LATER) as later:
            assert str(old) in later.wait("log")["message"]
            assert not old.exists()
            assert working.folder.exists()
            assert young.exists()
            later.say(op="adopt", folder=str(young))
            later.wait("adopted")
            assert not young.exists(), "an empty one goes as well"
        assert working.bye() == 0


def test_another_users_agent_is_not_ended(service: Gunicorn) -> None:
    with Agent(hello=FIRST) as first:
        with Agent(hello=LATER, owner=65534, before=["setpriv", "--reuid=65534", "--clear-groups"]) as later:
            later.say(op="others")
            assert first.process.pid in [one["pid"] for one in later.wait("others")["agents"]]
            later.say(op="end", pid=first.process.pid)
            refused = later.wait("error", "ended")
            assert (refused["type"], refused["code"]) == ("error", "not-permitted")
            later.say(op="end", pid=service.pid)
            refused = later.wait("error", "ended")
            assert (refused["type"], refused["code"]) == ("error", "gone"), "no process that is no agent"
        assert running(first.process.pid)
        first.process.send_signal(signal.SIGTERM)
        assert first.process.wait(10) == 1
