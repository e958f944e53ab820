"""A service that keeps a log, and Artillery driven through the engine as the toolkit drives it."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.logged_service import LoggedService
from tests.sshd_server import embedded_ssh, openssh, start_sshd
from toolkit.engines.base import Ending, LoadJob
from toolkit.engines.live import LiveTail
from toolkit.engines.registry import engine
from toolkit.recording.layout import LoadFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["embedded_ssh", "openssh", "start_sshd"]

HERE = Path(__file__).parent


@dataclass
class Played:
    """A load that has ended."""

    folder: LoadFolder
    exit_code: int
    ending: Ending
    took_s: float
    rows: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    console: str = ""
    live_requests: int = 0

    def named(self, name: str) -> list[dict[str, Any]]:
        return [row for row in self.rows if row["name"] == name]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoggedService]:
    log = tmp_path_factory.mktemp("service") / "requests.jsonl"
    with (log.parent / "console.log").open("wb") as console:
        process = subprocess.Popen(
            [sys.executable, str(HERE / "service.py"), str(log)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=console,
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline())
        yield LoggedService(f"http://127.0.0.1:{port}", log)
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Played]:
    """Drive a file to its end, or until `stop` says that it is time for a signal."""

    def drive(
        file: Path,
        target: str,
        *,
        overrides: dict[str, Any] | None = None,
        stop: Callable[[LiveTail], bool] | None = None,
        stop_signal: int = signal.SIGTERM,
    ) -> Played:
        folder = LoadFolder(tmp_path_factory.mktemp("load") / "own")
        folder.path.mkdir()
        artillery = engine("artillery")
        launch = artillery.launch(LoadJob("own", file, target, overrides or {}, ack_timeout_s=2.0), folder)
        tail, began, stopped = LiveTail(folder.request_parts), time.monotonic(), False
        with folder.console.open("wb") as console:
            process = subprocess.Popen(
                launch.argv,
                env={**os.environ, **launch.env},
                cwd=launch.cwd,
                stdout=console,
                stderr=subprocess.STDOUT,
            )
        try:
            while process.poll() is None and time.monotonic() - began < 60:
                if stop is not None and not stopped and stop(tail):
                    process.send_signal(stop_signal)
                    stopped, began = True, time.monotonic()
                time.sleep(0.02)
            took_s = time.monotonic() - began
            exit_code = process.wait(1)
        finally:
            process.kill()
        live = tail.poll().requests
        artillery.collect(folder)
        ending = artillery.ending(exit_code, folder, stopped and stop_signal != signal.SIGKILL)
        played = Played(
            folder, exit_code, ending, took_s, console=folder.console.read_text(), live_requests=live
        )
        played.rows = _rows(folder)
        played.events = (
            [json.loads(line) for line in folder.events.read_text().splitlines()]
            if folder.events.exists()
            else []
        )
        return played

    return drive


def _rows(folder: LoadFolder) -> list[dict[str, Any]]:
    if not folder.requests.exists():
        return []
    with gzip.open(folder.requests, "rt", encoding="utf-8") as file:
        header, *rows = [json.loads(line) for line in file]  # strict: every line must be JSON
    assert header == {"schema": 1, "kind": "requests"}
    return rows
