"""Calls `python -m toolkit` as a user does, and looks at what a call leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from tests.gunicorns import until

if TYPE_CHECKING:
    from toolkit.demo.service import DemoState

ROOT = Path(__file__).resolve().parents[3]
PLAN = str(ROOT / "plans" / "demo.yml")
HTTP = str(ROOT / "loadtesting" / "http.yml")
SOCKET = str(ROOT / "loadtesting" / "socket.yml")


def phases(seconds: float, rate: float = 3, scenario: int = 0) -> list[str]:
    """Options that make a scenario of a plan last so long."""
    override = {"config": {"phases": [{"duration": seconds, "arrivalRate": rate, "rampTo": rate}]}}
    return ["--set", f"load.scenarios.{scenario}.overrides={json.dumps(override)}"]


@dataclass
class Done:
    """A call that ended."""

    code: int
    out: str
    err: str
    seconds: float

    def __post_init__(self) -> None:
        assert "Traceback (most recent call last)" not in self.err, self.err
        assert "This is a bug" not in self.err, self.err


@dataclass
class Started:
    """A call on its way; both its outputs go to files."""

    process: subprocess.Popen[bytes]
    out: Path
    err: Path
    began: float = field(default_factory=time.monotonic)

    @property
    def told(self) -> str:
        return self.err.read_text(encoding="utf-8")

    def wait_for(self, text: str, timeout_s: float = 40) -> None:
        """Until it has said so."""

        def said() -> bool:
            if text in self.told:
                return True
            assert self.process.poll() is None, f"it ended without {text!r}: {self.told}"
            return False

        until(said, f"{text!r} in {self.err}", timeout_s)

    def send(self, number: int = signal.SIGINT) -> None:
        """A signal, to the process alone."""
        self.process.send_signal(number)

    def finish(self, timeout_s: float = 60) -> Done:
        """Wait for its end; `seconds` is how long that took."""
        began = time.monotonic()
        code = self.process.wait(timeout_s)
        return Done(code, self.out.read_text(encoding="utf-8"), self.told, time.monotonic() - began)


class Toolkit:
    """The toolkit of one user: a folder to stand in, with `reports` below it, and the demo that they work on."""

    def __init__(self, demo: DemoState, folder: Path) -> None:
        self.demo, self.folder = demo, folder
        self.reports = folder / "reports"
        (folder / "home").mkdir()
        cache = os.environ.get("TOOLKIT_CACHE") or str(
            Path.home() / ".cache" / "gunicorn-load-profile-toolkit"
        )
        own = {name: value for name, value in os.environ.items() if not name.startswith("TOOLKIT_")}
        self.environ = {
            **own,
            "HOME": str(folder / "home"),
            "TOOLKIT_CACHE": cache,
            "TOOLKIT_DEMO_URL": demo.url,
            "TOOLKIT_DEMO_DIR": str(demo.folder),
            "TERM": "dumb",
            # The demo fails some requests on purpose, by chance; of a few requests one may be many percent.
            "TOOLKIT_CHECK": "requests.errors{code: 5xx} rate < 60%",
        }
        self._started: list[Started] = []
        self._folders_before = _agent_folders()

    def argv(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "toolkit", *words]

    def call(self, *words: str, **environ: str) -> Done:
        """One command, to its end."""
        return self.start(*words, **environ).finish(90)

    def start(self, *words: str, **environ: str) -> Started:
        """One command, on its way."""
        return self.start_argv(self.argv(*words), self.folder, **environ)

    def start_argv(self, argv: list[str], cwd: Path, **environ: str) -> Started:
        """Any command, in a process group of its own, without a terminal."""
        number = len(self._started)
        out, err = self.folder / f"out-{number}", self.folder / f"err-{number}"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                env={**self.environ, **environ},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        started = Started(process, out, err)
        self._started.append(started)
        return started

    @property
    def runs(self) -> list[Path]:
        """The run folders, oldest first."""
        if not self.reports.is_dir():
            return []
        return sorted(path for path in self.reports.iterdir() if path.is_dir() and not path.is_symlink())

    @property
    def asked(self) -> list[str]:
        """What the service was asked, but for the demo's own look whether it is ready, which may be written late."""
        lines = self.demo.access_log.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if '"/healthz"' not in line]

    @property
    def run(self) -> Path:
        """The only run folder."""
        assert len(self.runs) == 1, self.runs
        return self.runs[0]

    def manifest(self, run: Path | None = None) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(((run or self.run) / "run.json").read_text(encoding="utf-8"))
        return loaded

    def events(self, kind: str, run: Path | None = None) -> list[dict[str, Any]]:
        lines = ((run or self.run) / "events.jsonl").read_text(encoding="utf-8").splitlines()
        return [row for row in map(json.loads, lines) if row["kind"] == kind]

    def left_over(self) -> list[str]:
        """Agents, recorders, folders that calls of ours left; looked for until there are none, or for as long as is promised.

        What was not there at the first look, or comes and goes, is somebody else's who works on this machine too.
        """
        deadline = time.monotonic() + 10
        left = self._left_now()
        while left and time.monotonic() < deadline:
            time.sleep(0.1)
            now = self._left_now()
            left = [one for one in left if one in now]
        return left

    def folders_left(self) -> list[Path]:
        """Of agents of ours, on the server; theirs that still run among them."""
        found = [Path(path) for path in _agent_folders() - self._folders_before]
        return [path for path in found if not self._is_of_another(path)]

    def agents(self) -> list[psutil.Process]:
        """The agents and recorders that calls of ours have on the server now."""
        return [process for process, _ in self._ours()]

    def end_all(self) -> None:
        """End what a test has left running."""
        for started in self._started:
            if started.process.poll() is None:
                started.process.kill()
                started.process.wait()

    def _left_now(self) -> list[str]:
        ours = self._ours()
        others = " ".join(
            line for _, line in _recording_processes() if line not in {words for _, words in ours}
        )
        folders = [
            path
            for path in _agent_folders() - self._folders_before
            if path not in others and not self._is_of_another(Path(path))
        ]
        return [*(words for _, words in ours), *folders]

    def _is_of_another(self, folder: Path) -> bool:
        """Whether it says that it belongs to a run of somebody else, who works on this machine too."""
        try:
            about = json.loads((folder / "recordings" / "about.json").read_bytes())
        except (OSError, ValueError):
            return False
        return about.get("run") not in {run.name for run in self.reports.parent.glob("*/*")}

    def _ours(self) -> list[tuple[psutil.Process, str]]:
        """By descent: from the demo's SSH server, from a call of ours, or from nobody any more."""
        roots = {started.process.pid for started in self._started}
        if self.demo.ssh:
            roots.add(self.demo.ssh.process.pid)
        found = []
        for process, words in _recording_processes():
            try:
                above = {parent.pid for parent in process.parents()}
            except psutil.NoSuchProcess:
                continue
            if above & roots or (above <= {1} and self._is_ours(process)):
                found.append((process, words))
        return found

    def _is_ours(self, orphan: psutil.Process) -> bool:
        """By what it was started with: our home here, or a connection to the port of the demo's SSH server."""
        try:
            environ = orphan.environ()
        except psutil.Error:
            return False
        port = str(self.demo.ssh.port) if self.demo.ssh else "none"
        came = environ.get("SSH_CONNECTION", "").split()[-1:]
        return environ.get("HOME") == self.environ["HOME"] or came == [port]


def _recording_processes() -> list[tuple[psutil.Process, str]]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if any(word.endswith(("/agent.pyz", "/py-spy")) for word in words[:6]):
            found.append((process, " ".join(words)))
    return found


def _agent_folders() -> set[str]:
    return {str(path) for path in Path(tempfile.gettempdir()).glob("toolkit.*") if _is_an_agents(path)}


def _is_an_agents(folder: Path) -> bool:
    """By what lies in it, else by its name: mktemp's have capitals, those that Python makes (the analysis) have none."""
    held = ("agent.pyz", "recordings", "running")
    return any((folder / name).exists() for name in held) or folder.name.lower() != folder.name


def loading(reports: Path) -> bool:
    """Whether some requests of a run under `reports` are recorded already."""
    parts = [part.read_bytes() for part in reports.glob("*/load/*/parts/*.jsonl")]
    return sum(max(0, part.count(b"\n") - 1) for part in parts) >= 5  # the first line of each is no request


def engines_of(pid: int) -> list[psutil.Process]:
    """The engines' first processes below a call."""
    below = psutil.Process(pid).children(recursive=True)
    return [
        child
        for child in below
        if any(
            word.endswith(("artillery/bin/run", "lib/locust_start.py", "engines.k6.drive"))
            for word in child.cmdline()
        )
    ]
