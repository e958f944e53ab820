"""One run against a gunicorn of the test's own, on this machine, and what its summary says."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.gunicorns import Gunicorn, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[3]

SERVICE = """
import os, time

def lock_row(name):
    raise KeyError(name)

def checkout():
    try:
        lock_row("orders")
    except KeyError as error:
        raise RuntimeError("checkout failed") from error

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path.startswith("/sleep/"):
        time.sleep(float(path.rsplit("/", 1)[1]))
    if path.startswith("/exit/"):
        os._exit(int(path.rsplit("/", 1)[1]))
    if path == "/boom":
        checkout()
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
"""
SNIPPET = ROOT / "profile" / "gunicorn_access_log.py"


@dataclass
class Watched:
    """What the toolkit wrote of one run."""

    folder: Path
    summary: dict[str, Any]
    code: int

    @property
    def watch(self) -> dict[str, Any]:
        """What was watched on the only server."""
        watched: dict[str, Any] = self.summary["servers"][0]["watch"]
        return watched

    @property
    def errors(self) -> dict[str, Any]:
        """The join of requests with the server's lines."""
        errors: dict[str, Any] = self.summary["server_errors"]
        return errors

    def explanation(self, status: int | None = None, error: str | None = None) -> dict[str, Any]:
        """How the failures of one kind are explained."""
        found = [
            e
            for e in self.errors["explanations"]
            if e["status"] == status and (error or "") in (e["error"] or "")
        ]
        assert len(found) == 1, self.errors["explanations"]
        return dict(found[0])


@pytest.fixture
def gunicorn(tmp_path: Path) -> Iterator[Callable[..., Gunicorn]]:
    """Starts gunicorns with both logs in files; ends them after the test."""
    begun: list[Gunicorn] = []

    def start(*arguments: str, ids: bool = True, **options: Any) -> Gunicorn:
        folder = tmp_path / "service"
        logs = ["--access-logfile", str(folder / "access.log"), "--capture-output"]
        if ids:
            logs += ["-c", str(SNIPPET)]
        begun.append(Gunicorn(folder, arguments=[*logs, *arguments], wsgi=SERVICE, **options))
        return begun[-1]

    yield start
    for one in begun:
        one.stop()


def load_file(
    folder: Path, target: str, routes: dict[str, float], seconds: int, rate: int, timeout_s: int = 10
) -> Path:
    """An Artillery file: every user asks one route, with these weights."""
    file = folder / "routes.yml"
    scenarios = [
        {"name": route, "weight": weight, "flow": [{"get": {"url": route, "name": route}}]}
        for route, weight in routes.items()
    ]
    phases = [{"duration": seconds, "arrivalRate": rate, "name": "steady"}]
    config = {"target": target, "phases": phases, "http": {"timeout": timeout_s}}
    file.write_text(json.dumps({"config": config, "scenarios": scenarios}))
    return file


@pytest.fixture
def watched(tmp_path: Path) -> Callable[..., Watched]:
    """Runs profile-and-load against a gunicorn; `meanwhile` is called once requests come in."""

    def run(
        service: Gunicorn,
        routes: dict[str, float],
        *,
        seconds: int = 5,
        rate: int = 6,
        target: str = "",
        meanwhile: Callable[[], None] | None = None,
        timeout_s: int = 10,
    ) -> Watched:
        file = load_file(
            tmp_path, target or f"http://127.0.0.1:{service.port}", routes, seconds, rate, timeout_s
        )
        argv = [
            sys.executable,
            "-m",
            "toolkit",
            "profile-and-load",
            "--server",
            "local:",
            "--scenario",
            str(file),
            "--reports",
            str(tmp_path / "reports"),
        ]
        argv += ["--set", f"servers.0.gunicorn.pid={service.pid}", "--quiet"]
        process = subprocess.Popen(
            argv, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        if meanwhile is not None:
            threading.Thread(target=_when_loaded, args=(tmp_path / "reports", meanwhile), daemon=True).start()
        try:
            _, told = process.communicate(timeout=120)
        finally:
            process.kill()
        (folder,) = (
            path for path in (tmp_path / "reports").iterdir() if path.is_dir() and not path.is_symlink()
        )
        assert (folder / "summary.json").exists(), told
        return Watched(folder, json.loads((folder / "summary.json").read_text()), process.returncode)

    return run


def _when_loaded(reports: Path, meanwhile: Callable[[], None]) -> None:
    def some() -> bool:
        return sum(part.read_bytes().count(b"\n") for part in reports.glob("*/load/*/parts/*.jsonl")) > 4

    until(some, "the first requests", 60)
    time.sleep(0.5)
    meanwhile()
