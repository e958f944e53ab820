"""Real gunicorns for tests: every worker class, on free loopback ports, ended by the PID they were started with."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WSGI = """
import os, threading, time

def hot_function(seconds):
    end = time.perf_counter() + seconds
    total = 0
    while time.perf_counter() < end:
        total += sum(range(50))
    return total

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/hot":
        hot_function(0.02)
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]

for _ in range(int(os.environ.get("IDLE_THREADS", "0"))):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
"""

ASGI = """
import os
from service_wsgi import hot_function

async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    if scope["path"] == "/hot":
        hot_function(0.02)
    body = str(os.getpid()).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})
"""

ASGI_CLASSES = ("asgi", "uvicorn_worker.UvicornWorker")


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def until(condition: Callable[[], Any], what: str, timeout_s: float = 20.0) -> Any:
    """Poll until `condition` gives something true, and return it."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {timeout_s} s for {what}"
        time.sleep(0.02)


def without_setproctitle(folder: Path) -> dict[str, str]:
    """An environment in which setproctitle cannot be imported, so that gunicorn shows its arguments."""
    blocker = folder / "no_title"
    blocker.mkdir(exist_ok=True)
    (blocker / "setproctitle.py").write_text("raise ImportError('hidden from this gunicorn')\n")
    return {"PYTHONPATH": str(blocker)}


def children_of(pid: int) -> list[int]:
    """The PIDs of a process's children; none where it is gone."""
    with contextlib.suppress(OSError):
        tasks = Path(f"/proc/{pid}/task").iterdir()
        return sorted(int(item) for task in tasks for item in (task / "children").read_text().split())
    return []


def running(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Gunicorn:
    """A gunicorn that answers. `pid` is the arbiter's, `process` what was started (a wrapper may stand between).

    Args:
        folder: for its files; must be readable by `user`.
        worker_class: any of gunicorn's, or a dotted path.
        workers: how many.
        arguments: further ones of gunicorn's.
        command: what to run instead of `python -m gunicorn`; `{gunicorn}` in it is replaced by the arguments.
        environment: added to a bare one.
        user: a user's number to run as (needs root).
        wsgi: the application's source; answers `/` with its PID.
    """

    def __init__(
        self,
        folder: Path,
        worker_class: str = "sync",
        workers: int = 2,
        arguments: list[str] | None = None,
        command: list[str] | None = None,
        environment: dict[str, str] | None = None,
        user: int | None = None,
        python: str = sys.executable,
        wsgi: str = WSGI,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "service_wsgi.py").write_text(wsgi)
        (folder / "service_asgi.py").write_text(ASGI)
        self.port = free_port()
        self.folder = folder
        self.log = folder / f"gunicorn-{self.port}.log"
        module = "service_asgi" if worker_class in ASGI_CLASSES else "service_wsgi"
        options = ["-k", worker_class, "-w", str(workers), "-b", f"127.0.0.1:{self.port}", *(arguments or [])]
        options += ["--worker-tmp-dir", "/dev/shm", f"{module}:application"]
        before = command or [python, "-m", "gunicorn"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*before, *options],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": str(folder),
                    "LANG": "C.UTF-8",
                    **(environment or {}),
                },
                user=user,
                group=user,
                extra_groups=[] if user is not None else None,
                start_new_session=True,
            )
        self._workers = workers
        try:
            until(self._answers, f"gunicorn to answer: {self.log}")
            self.pid = until(self._listening_pid, "the arbiter in its log")
            until(lambda: len(self.worker_pids) >= workers, "the workers")
        except BaseException as error:
            error.add_note(self.log.read_text())
            self.stop()
            raise

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return bool(self.get("/"))
        except OSError:
            return False

    def _listening_pid(self) -> int:
        """`Listening at: http://127.0.0.1:8000 (1234)` is the arbiter's own word."""
        for line in self.log.read_text().splitlines():
            if "Listening at:" in line:
                return int(line.rpartition("(")[2].rstrip(")"))
        return 0

    @property
    def worker_pids(self) -> list[int]:
        """The arbiter's children now."""
        return children_of(self.pid)

    def get(self, path: str = "/hot") -> int:
        """One request; the PID of the worker that answered."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return int(answer.read())

    def signal(self, number: int) -> None:
        """Send a signal to the arbiter."""
        os.kill(self.pid, number)

    def stop(self) -> None:
        """End what was started, at once, with everything below it."""
        tree = _below(self.process.pid)
        pid = getattr(self, "pid", 0)
        if pid and running(pid):
            tree += [pid, *_below(pid)]
        for number in [self.process.pid, *tree]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        self.process.wait()

    def __enter__(self) -> Gunicorn:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _below(pid: int) -> list[int]:
    found: list[int] = []
    for child in children_of(pid):
        found += [child, *_below(child)]
    return found


@contextlib.contextmanager
def shared_folder() -> Iterator[Path]:
    """A folder that every user may read, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="toolkit-test."))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
