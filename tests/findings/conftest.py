"""Short real runs against a gunicorn in trouble, on this machine, and what they find."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.gunicorns import Gunicorn, without_setproctitle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
SERVICE = (Path(__file__).parent / "troubled_service.py").read_text(encoding="utf-8")
SNIPPET = ROOT / "profile" / "gunicorn_access_log.py"
DRIVER = "import time\n\ndef query(seconds):\n    time.sleep(seconds)\n"


@dataclass
class Found:
    """What a run says."""

    folder: Path
    summary: dict[str, Any]

    def of(self, rule: str) -> list[dict[str, Any]]:
        """What this rule found."""
        return [row for row in self.summary["findings"]["found"] if row["rule"] == rule]

    def one(self, rule: str, words: str = "") -> dict[str, Any]:
        """The only finding of a rule, whose title holds these words."""
        rows = [row for row in self.of(rule) if words in row["title"]]
        assert len(rows) == 1, self.told
        return rows[0]

    def ruled_out(self, rule: str) -> str:
        """What speaks against it; it was looked for, and is not found."""
        assert not self.of(rule), self.told
        return " ".join(row["words"] for row in self.summary["findings"]["ruled_out"] if row["rule"] == rule)

    @property
    def told(self) -> str:
        """Everything, for who reads a failed test."""
        return json.dumps(self.summary["findings"], indent=1)


def start_gunicorn(folder: Path, *arguments: str, **options: Any) -> Gunicorn:
    """One with both logs in files and ids in them."""
    driver = folder / "lib" / "python3" / "site-packages" / "pymysql"
    driver.mkdir(parents=True)
    (driver / "__init__.py").touch()
    (driver / "connections.py").write_text(DRIVER)
    logs = ["--access-logfile", str(folder / "access.log"), "--capture-output", "-c", str(SNIPPET)]
    return Gunicorn(folder, arguments=[*logs, *arguments], wsgi=SERVICE, **options)


def drive(
    folder: Path,
    services: list[Gunicorn],
    routes: dict[str, float],
    *,
    seconds: int = 12,
    rate: float = 20,
    timeout_s: int = 10,
    options: tuple[str, ...] = (),
) -> Found:
    """Run profile-and-load: every user asks one route of one service, with these weights."""
    target = f"http://127.0.0.1:{services[0].port}"
    scenarios = [
        {
            "name": f"{route} {number}",
            "weight": weight,
            "flow": [{"get": {"url": f"http://127.0.0.1:{service.port}{route}", "name": route}}],
        }
        for number, service in enumerate(services)
        for route, weight in routes.items()
    ]
    # A plain arrivalRate waits in a busy loop, which would be the host's CPU here.
    phases = [{"duration": seconds, "arrivalRate": rate, "rampTo": rate, "name": "steady"}]
    file = folder / "routes.yml"
    config = {"target": target, "phases": phases, "http": {"timeout": timeout_s}}
    file.write_text(json.dumps({"config": config, "scenarios": scenarios}))
    servers = [
        {
            "name": f"web{number}" if len(services) > 1 else "web",
            "address": "local:",
            "gunicorn": {"pid": one.pid},
        }
        for number, one in enumerate(services)
    ]
    argv = [sys.executable, "-m", "toolkit", "profile-and-load", "--scenario", str(file), "--quiet"]
    argv += ["--reports", str(folder / "reports"), "--set", f"servers={json.dumps(servers)}", *options]
    if "--rate" not in options:
        argv += ["--rate", "20"]
    process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        _, told = process.communicate(timeout=150)
    finally:
        process.kill()
    (run,) = (path for path in (folder / "reports").iterdir() if path.is_dir() and not path.is_symlink())
    assert (run / "summary.json").exists(), told
    return Found(run, json.loads((run / "summary.json").read_text()))


@pytest.fixture
def gunicorn(tmp_path: Path) -> Iterator[Callable[..., Gunicorn]]:
    """Starts gunicorns; ends them after the test."""
    begun: list[Gunicorn] = []

    def start(*arguments: str, **options: Any) -> Gunicorn:
        begun.append(start_gunicorn(tmp_path / f"service{len(begun)}", *arguments, **options))
        return begun[-1]

    yield start
    for one in begun:
        one.stop()


@pytest.fixture
def found(tmp_path: Path) -> Callable[..., Found]:
    """Drives load at one or more services."""

    def run(service: Gunicorn | list[Gunicorn], routes: dict[str, float], **settings: Any) -> Found:
        return drive(tmp_path, service if isinstance(service, list) else [service], routes, **settings)

    return run


@pytest.fixture(scope="session")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    """A service of two workers with four threads each under a light load: it must show nothing."""
    folder = tmp_path_factory.mktemp("healthy")
    # Behind a process title gunicorn's arguments, and so the number of its threads, are not seen.
    environment = without_setproctitle(folder)
    arguments = ("--threads", "4")
    service = start_gunicorn(
        folder / "service", *arguments, worker_class="gthread", workers=2, environment=environment
    )
    yield drive(folder, [service], {"/ok": 3, "/nap": 1}, seconds=25)
    service.stop()
