"""Logs over the wire: an agent as it is pushed, on the oldest Python too, while the service works and its log is rotated."""

from __future__ import annotations

import base64
import os
import pwd
import signal
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from tests.gunicorns import Gunicorn, shared_folder, until, without_setproctitle
from tests.integration.agent.driver import Agent


def _pythons() -> list[str]:
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    found = [str(path) for path in sorted(home.glob(".pyenv/versions/3.[78].*/bin/python"))]
    working = [item for item in found if subprocess.run([item, "-c", ""], check=False).returncode == 0]
    return [sys.executable, *working]


def written(folder: Path) -> int:
    """Lines of requests for more than `/`, which is how the service's start was awaited."""
    return sum(line != "/" for path in folder.glob("access.log*") for line in path.read_text().splitlines())


@pytest.mark.parametrize("python", _pythons())
def test_an_agent_follows_the_logs_of_a_service_until_it_is_stopped(python: str) -> None:
    with shared_folder() as folder:
        log = folder / "access.log"
        arguments = ["--access-logfile", str(log), "--access-logformat", "%(U)s"]
        environment = without_setproctitle(folder)
        with (
            Gunicorn(folder / "service", arguments=arguments, environment=environment) as service,
            Agent(python, hello={"grace_s": 20, "max_s": 100}) as agent,
        ):
            assert agent.find(pid=service.pid)["type"] == "found"
            wanted = {"find": True, "files": [], "units": [], "limit_bytes": 1_000_000}
            agent.say(op="watch", interval_s=None, logs=wanted)
            sources = agent.wait("watching")["sources"]
            assert {(row["role"], row["path"], row["note"]) for row in sources} == {
                ("access", str(log), None),
                ("error", str(service.log), None),
            }
            asked = [f"/{number}" for number in range(30)]
            for number, path in enumerate(asked):
                if number == 10:
                    log.rename(f"{log}.1")
                    service.signal(signal.SIGUSR1)
                service.get(path)
            # gunicorn writes a line after it has answered.
            until(lambda: written(folder) == len(asked), "the last line")
            agent.say(op="stop")
            agent.wait("stopped")
            number = next(row["source"] for row in sources if row["role"] == "access")
            blocks = [
                item for item in agent.messages if item["type"] == "log_block" and item["source"] == number
            ]
            raw = b"".join(
                zlib.decompress(base64.b64decode(item["data"])) for item in blocks if item["what"] == "data"
            )
            assert sorted(line for line in raw.decode().split() if line != "/") == sorted(asked)
            assert [item["what"] for item in blocks if item["what"] != "data"] == ["start", "rotated"]
            assert agent.bye() == 0
            assert agent.stderr == b""
