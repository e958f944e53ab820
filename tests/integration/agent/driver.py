"""Runs the packed agent over real pipes and speaks the protocol with it, as the controller does."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipapp
import zipfile
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[3]
AGENT = ROOT / "profile" / "agent"
PY_SPY = Path(sys.executable).parent / "py-spy"

Message = dict[str, Any]


def pack(folder: Path) -> None:
    """Put into `folder` what the controller pushes: agent.pyz and the two wheels (remade from what is installed)."""
    sources = folder / "sources"
    sources.mkdir()
    for module in AGENT.glob("*.py"):
        shutil.copy(module, sources)
    zipapp.create_archive(sources, folder / "agent.pyz")
    shutil.rmtree(sources)
    with zipfile.ZipFile(folder / "py_spy-0.4.3-py2.py3-none-any.whl", "w") as wheel:
        wheel.write(PY_SPY, "py_spy-0.4.3.data/scripts/py-spy")
    package = Path(psutil.__file__).parent
    with zipfile.ZipFile(folder / "psutil-7.2.2-cp36-abi3-any.whl", "w") as wheel:
        for file in package.glob("*"):
            if file.is_file():
                wheel.write(file, f"psutil/{file.name}")


class Agent:
    """One agent at work in a directory of its own.

    Args:
        python: the interpreter to run it with.
        before: a command in front of it (`setpriv …`).
        hello: more for the `hello` line.
        owner: the user that owns the directory.
    """

    def __init__(
        self,
        python: str = sys.executable,
        before: list[str] | None = None,
        hello: Message | None = None,
        owner: int | None = None,
        folder: Path | None = None,
    ) -> None:
        if folder is None:
            folder = Path(tempfile.mkdtemp(prefix="toolkit."))
            pack(folder)
        self.folder = folder
        if owner is not None:
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, owner, owner)
        self.process = subprocess.Popen(
            [*(before or []), python, "-u", "-I", str(folder / "agent.pyz")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
        )
        self.messages: list[Message] = []
        self.chunks: list[Message] = []
        self.files: dict[str, bytes] = {}
        self._arriving: queue.Queue[Message | None] = queue.Queue()
        self._parts: dict[str, bytes] = {}
        self._threads = [threading.Thread(target=self._read), threading.Thread(target=self._read_errors)]
        self.stderr = b""
        for thread in self._threads:
            thread.start()
        self.greeting: Message = {}
        if hello is not None:
            try:
                self.say(**{"op": "hello", "protocol": 1, "run": "test", **hello})
                self.greeting = self.wait("hello")
            except BaseException:
                self.__exit__()
                raise

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._arriving.put(json.loads(line))
        self._arriving.put(None)

    def _read_errors(self) -> None:
        assert self.process.stderr
        self.stderr = self.process.stderr.read()

    def raw(self, data: bytes) -> None:
        """Send bytes."""
        assert self.process.stdin
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def say(self, **message: Any) -> None:
        """Send one line."""
        self.raw(json.dumps(message).encode() + b"\n")

    def next(self, timeout_s: float = 15.0) -> Message | None:
        """The next message; None when the agent has closed its output."""
        message = self._arriving.get(timeout=timeout_s)
        if message is None:
            self._arriving.put(None)
            return None
        self.messages.append(message)
        if message["type"] == "file":
            name = message["name"]
            self._parts[name] = self._parts.get(name, b"") + base64.b64decode(message["data"])
            if message["last"]:
                self.files[name] = self._parts.pop(name)
        if message["type"] == "chunk":
            self.chunks.append(message)
        return message

    def wait(self, *kinds: str, timeout_s: float = 15.0) -> Message:
        """The next message of one of these kinds; an unexpected error fails the test."""
        deadline = time.monotonic() + timeout_s
        while True:
            message = self.next(max(0.01, deadline - time.monotonic()))
            assert message is not None, (
                f"the agent ended while {kinds} was awaited: {self.messages[-3:]} {self.stderr!r}"
            )
            if message["type"] in kinds:
                return message
            assert message["type"] != "error", message

    def wait_chunks(self, view: str, count: int, timeout_s: float = 20.0) -> list[Message]:
        """Wait until `count` more chunks of a view have come."""
        seen: list[Message] = []
        while len(seen) < count:
            chunk = self.wait("chunk", timeout_s=timeout_s)
            if chunk["view"] == view:
                seen.append(chunk)
        return seen

    def find(self, **choice: Any) -> Message:
        """Ask for a gunicorn; the answer, be it `found` or `error`."""
        self.say(op="find", choice=choice)
        return self.wait("found", "error")

    def record(self, pid: int, **wanted: Any) -> Message:
        """Find by PID and record; the `recording` line."""
        assert self.find(pid=pid)["type"] == "found"
        self.say(op="record", **{"views": ["wall"], "rate_hz": 100, "chunk_s": 1.0, **wanted})
        deadline = time.monotonic() + 30
        answer = None
        while (
            answer is None
        ):  # the heartbeat goes on meanwhile, as the controller's does: a test may have a short grace
            assert time.monotonic() < deadline, "no first samples"
            self.say(op="ping", t0=0)
            while (message := self.wait("pong", "recording"))["type"] != "pong":
                answer = message
            time.sleep(0.05)
        return answer

    def stop(self) -> None:
        """Stop recording and take the rest."""
        self.say(op="stop")
        self.wait("stopped")

    def lines(self, view: str) -> list[str]:
        """Every line of every fetched chunk of a view."""
        found = []
        for name in sorted(self.files):
            if name.startswith(view + "-"):
                found += gzip.decompress(self.files[name]).decode().splitlines()
        return found

    def samples(self, view: str, function: str, pid: int | None = None) -> int:
        """Samples with a function in their stack, of one process or of all."""
        total = 0
        for line in self.lines(view):
            stack, _, count = line.rpartition(" ")
            pids = [int(item) for item in re.findall(r'process (\d+):"', stack)]
            if function + " (" in stack and (pid is None or pids[-1:] == [pid]):
                total += int(count)
        return total

    def bye(self) -> int:
        """Say good-bye; the exit code."""
        self.say(op="bye")
        self.wait("bye")
        return self.end()

    def end(self, timeout_s: float = 15.0) -> int:
        """Wait for the exit; the exit code."""
        code = self.process.wait(timeout_s)
        for thread in self._threads:
            thread.join(5)
        return code

    def __enter__(self) -> Agent:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.end()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream and not stream.closed:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        shutil.rmtree(self.folder, ignore_errors=True)
