"""Agents that lie. Each is a real program in place of the real agent; what it says is up to the test."""

from __future__ import annotations

import base64
import gzip
from typing import TYPE_CHECKING, Any

from toolkit.probes.agent_program import archive

if TYPE_CHECKING:
    import pytest

_AGENT = """
import json, os, shutil, sys, time
directory = os.path.dirname(os.path.abspath(sys.argv[0]))
def say(message):
    text = message if isinstance(message, str) else json.dumps(message)
    sys.stdout.write(text + "\\n")
    sys.stdout.flush()
def on_start():
    pass
def on_record():
    pass
def on_stop():
    pass
{lies}
on_start()
for line in sys.stdin:
    message = json.loads(line)
    op = message["op"]
    if op == "hello":
        say(dict({{"type": "hello", "protocol": 1, "pid": os.getpid(), "python": "3", "directory": directory,
             "facts": {{"hostname": "h"}}}}))
    elif op == "ping":
        say({{"type": "pong", "t0": message["t0"], "t": time.time_ns() + globals().get("CLOCK_NS", 0)}})
    elif op == "find":
        say({{"type": "found", "arbiter": {{"pid": 1, "name": "x"}}, "workers": [], "all": []}})
    elif op == "record":
        on_record()
        say({{"type": "recording", "views": {{"wall": {{"rate_hz": 10}}}}, "budget": {{}}}})
    elif op == "ack":
        print("ACK", message["name"], file=sys.stderr, flush=True)
    elif op == "stop":
        on_stop()
        say({{"type": "stopped"}})
    elif op == "bye":
        shutil.rmtree(directory)
        say({{"type": "bye"}})
        break
"""


def install(monkeypatch: pytest.MonkeyPatch, lies: str) -> None:
    """Let the next session push this agent; `lies` may define on_start, on_record, on_stop and CLOCK_NS."""
    program = archive({"__main__.py": (_AGENT.format(lies=lies).encode(), 0o600)})
    monkeypatch.setattr(
        "toolkit.run.agent_push.pushed_files", lambda *_, **__: {"agent.pyz": (program, 0o600)}
    )


def part(name: str, data: bytes = b"", number: int = 0, *, last: bool = True) -> dict[str, Any]:
    """One `file` message."""
    return {
        "type": "file",
        "name": name,
        "part": number,
        "last": last,
        "data": base64.b64encode(data).decode(),
    }


def chunk(**changes: Any) -> dict[str, Any]:
    """A good `chunk` message for STACKS, with `changes`."""
    good = {
        "type": "chunk",
        "view": "wall",
        "seq": 0,
        "start_ns": 10,
        "end_ns": 20,
        "rate_hz": 10.0,
        "samples": 3,
    }
    rest = {"errors": 0, "late_s": 0.0, "cpu_s": 0.1, "exit_code": 0, "bytes": len(STACKS), "note": None}
    return {**good, **rest, **changes}


STACKS = gzip.compress(b"process 1:python;main (app.py:1) 3\n", mtime=0)
