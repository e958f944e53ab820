"""Follows logs in this process, with a wire that remembers what was said and can be made to have no room."""

from __future__ import annotations

import base64
import os
import sys
import time
import zlib
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.integration.agent.driver import AGENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

if str(AGENT) not in sys.path:
    sys.path.append(str(AGENT))

follower = import_module("log_follower")
roles = import_module("roles")
trees = import_module("trees")

Message = dict[str, Any]


def tree_of(pid: int) -> Any:
    """The gunicorn whose arbiter has that PID."""
    return next(tree for tree in trees.all_trees()[0] if tree.arbiter.pid == pid)


def this_process() -> Any:
    """A tree of one: for what does not depend on gunicorn."""
    role = roles.Role(roles.PROGRAM, "test", ("application",))
    return trees.Tree(trees.Process(os.getpid(), os.getppid(), 0, 0, (), role), (), ())


class Following:
    """Logs being followed. `data` is what came of each source, checked to be what its offsets say."""

    def __init__(
        self,
        files: Iterable[object] = (),
        tree: Any = None,
        find: bool = False,
        units: Iterable[str] = (),
        limit_bytes: int = 10**9,
    ) -> None:
        self.room = True
        self.said: list[Message] = []
        self.data: dict[int, bytes] = {}
        self._next: dict[tuple[int, int], int] = {}
        wanted = {
            "find": find,
            "files": [str(item) for item in files],
            "units": list(units),
            "limit_bytes": limit_bytes,
        }
        self.logs = follower.Logs(tree or this_process(), wanted, self._say, lambda: self.room)
        assert not self.said, "the sources are told before anything is said of them"

    def _say(self, message: Message) -> bool:
        self.said.append(message)
        if message.get("what") != "data":
            return True
        assert self.room, "data came although there was no room"
        raw = zlib.decompress(base64.b64decode(message["data"]))
        assert len(raw) == message["bytes"] <= 256 * 1024
        assert (message["since"] or 0) <= message["t"] <= time.time_ns()
        source, generation = message["source"], message["generation"]
        key = (source, generation)
        assert self._next.setdefault(key, message["offset"]) == message["offset"], "a gap within a file"
        self._next[key] += len(raw)
        self.data[source] = self.data.get(source, b"") + raw
        return True

    @property
    def sources(self) -> list[Message]:
        """What is followed, or is not and why."""
        found: list[Message] = self.logs.sources
        return found

    def source(self, name: object) -> Message:
        """The source whose path ends like that."""
        return next(row for row in self.sources if row["path"].endswith(str(name)))

    def text(self, name: object) -> str:
        """What came of the source whose path ends like that."""
        return self.data.get(self.source(name)["source"], b"").decode()

    def events(self, what: str) -> list[Message]:
        """The blocks of a kind, without data."""
        return [message for message in self.said if message.get("what") == what]

    def run(self, seconds: float) -> None:
        """Follow for a while."""
        self.until(lambda: False, "the time to be over", seconds, fail=False)

    def until(
        self, condition: Callable[[], object], what: str, timeout_s: float = 8.0, fail: bool = True
    ) -> None:
        """Follow until something is true."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                assert not fail, f"waited {timeout_s} s for {what}: {self.brief}"
                return
            self.logs.tick()
            time.sleep(max(0.0, min(0.02, self.logs.wait_s)))

    def has(self, expected: bytes, source: int = 0, timeout_s: float = 8.0) -> None:
        """Follow until exactly that has come of a source."""
        self.until(lambda: len(self.data.get(source, b"")) >= len(expected), "data", timeout_s)
        assert self.data[source] == expected

    @property
    def brief(self) -> list[Message]:
        """What was said, without the data."""
        return [{key: value for key, value in item.items() if key != "data"} for item in self.said]

    def finish(self) -> None:
        """Read to the ends, as `stop` does."""
        deadline = time.monotonic() + 20
        while not self.logs.finish():
            assert time.monotonic() < deadline, "finish is bounded"
            time.sleep(0.005)

    def __enter__(self) -> Following:
        return self

    def __exit__(self, *_: object) -> None:
        self.logs.close()
