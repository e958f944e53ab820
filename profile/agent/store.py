"""Finished chunks on their way to the controller: kept until it has them, within bounds."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import os
import re
import shutil
from typing import Any, Callable, Optional

PART_BYTES = 256 * 1024
CHUNKS, ABOUT = (
    "chunks.jsonl",
    "about.json",
)  # beside the files that are left behind: their lines, and whose they are
NAME = re.compile(r"^(?:wall|cpu|gil)-\d{6}\.raw\.gz$")
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


class Store:
    """A folder of compressed chunks; the oldest gives way when it is full.

    Args:
        folder: ours alone.
        about: `{"run", "who", "since_ns"}`: whose recordings they are, for whoever finds them.
        limit_bytes: of all chunks that the controller has not acknowledged.
        say: sends one message, False where it could not be queued.
        has_room: whether a part may be sent now.
    """

    def __init__(
        self,
        folder: str,
        limit_bytes: int,
        say: Callable[[dict[str, Any]], bool],
        has_room: Callable[[], bool],
        about: Optional[dict[str, Any]] = None,
    ) -> None:
        self._folder = folder
        self._limit = limit_bytes
        self._say = say
        self._has_room = has_room
        self._lines: dict[str, dict[str, Any]] = {}
        self._sizes: dict[str, int] = {}
        self._waiting: list[str] = []
        self._offset = 0
        if about is not None:
            with os.fdopen(os.open(self._path(ABOUT), _NEW, 0o600), "w") as file:
                json.dump(about, file)

    def adopt(self, lines: dict[str, Optional[dict[str, Any]]]) -> None:
        """Take over the files of the folder, each with its chunk line as far as one was written, and queue them."""
        for name, line in lines.items():
            size = os.stat(self._path(name)).st_size
            self._sizes[name] = size
            self._lines[name] = dict(line, type="chunk", bytes=size) if line is not None else {}
            self._waiting.append(name)

    def add(self, name: str, source: str, line: dict[str, Any]) -> None:
        """Compress `source` (where it exists) as `name`, and queue it with its chunk line. Takes `source` away."""
        line = dict(line, type="chunk", bytes=0)
        if os.path.exists(source):
            try:
                line["bytes"] = self._compress(source, name)
            except OSError as error:
                self._note(line, "its file could not be kept: %s" % error.strerror)
        with contextlib.suppress(OSError):
            os.unlink(source)
        self._lines[name] = line
        self._sizes[name] = line["bytes"]
        self._waiting.append(name)
        with contextlib.suppress(OSError):  # written at once: an agent that is killed writes no more
            self._write_lines([line], os.O_APPEND)
        self._make_room()

    def _write_lines(self, lines: list[dict[str, Any]], how: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | how
        with os.fdopen(os.open(self._path(CHUNKS), flags, 0o600), "a") as file:
            file.write("".join(json.dumps(line) + "\n" for line in lines))

    def _compress(self, source: str, name: str) -> int:
        path = self._path(name)
        temporary = path + ".part"
        try:
            with contextlib.ExitStack() as files:
                raw = files.enter_context(os.fdopen(os.open(source, os.O_RDONLY | os.O_NOFOLLOW), "rb"))
                target = files.enter_context(os.fdopen(os.open(temporary, _NEW, 0o600), "wb"))
                # No name and no time in it: the same samples give the same bytes.
                packed = files.enter_context(gzip.GzipFile("", "wb", 6, target, mtime=0))
                shutil.copyfileobj(raw, packed, PART_BYTES)
            os.replace(temporary, path)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        return os.stat(path).st_size

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    @staticmethod
    def _note(line: dict[str, Any], text: str) -> None:
        line["note"] = "; ".join(item for item in (line.get("note"), text) if item)

    def _make_room(self) -> None:
        held = sum(self._sizes.values())
        for name in [name for name in self._lines if self._sizes[name]][:-1]:  # never the newest
            if held <= self._limit:
                return
            held -= self._sizes[name]
            self._drop(name)

    def _drop(self, name: str) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self._path(name))
        self._sizes[name] = 0
        reason = "dropped: recordings not yet fetched filled their %d MB on the server" % (
            self._limit // 1000000
        )
        self._say({"type": "log", "message": "%s was %s." % (name, reason)})
        if name in self._waiting:
            if self._waiting[0] == name:
                self._offset = 0
            self._lines[name]["bytes"] = 0
            self._note(self._lines[name], reason)
        else:
            del self._lines[name], self._sizes[name]

    def pump(self) -> bool:
        """Send as much as there is room for; whether anything is left to send."""
        while self._waiting and self._has_room():
            name = self._waiting[0]
            if self._sizes[name] and not self._send_part(name):
                continue
            if self._lines[name] and not self._say(self._lines[name]):
                return True
            self._waiting.pop(0)
            self._offset = 0
            if not self._sizes[name]:
                del self._lines[name], self._sizes[name]
        return bool(self._waiting)

    def _send_part(self, name: str) -> bool:
        """Send the next part; whether the file is through."""
        size = self._sizes[name]
        if self._offset >= size:
            return True
        try:
            with open(self._path(name), "rb") as file:
                file.seek(self._offset)
                data = file.read(PART_BYTES)
        except OSError as error:
            self._sizes[name] = self._lines[name]["bytes"] = 0
            self._note(self._lines[name], "its file was lost: %s" % error.strerror)
            return True
        part = self._offset // PART_BYTES
        last = self._offset + len(data) >= size
        text = base64.b64encode(data).decode("ascii")
        if not self._say({"type": "file", "name": name, "part": part, "last": last, "data": text}):
            return False
        self._offset += len(data)
        return last

    @property
    def unsent(self) -> int:
        """Chunks that have not gone out whole."""
        return len(self._waiting)

    @property
    def unacknowledged(self) -> int:
        """Files that the controller does not have yet, and lines that have not gone out."""
        return len(self._lines)

    def acknowledge(self, name: str) -> bool:
        """The controller has the file: delete ours. False where it cannot have it; a file that gave way is no mistake."""
        if not NAME.match(name):
            return False
        if name not in self._lines:
            return True
        if name in self._waiting:
            if name != self._waiting[0] or self._offset < self._sizes[name]:
                return False
            self._sizes[name] = 0  # only its line is still to be sent
        with contextlib.suppress(OSError):
            os.unlink(self._path(name))
        if name not in self._waiting:
            del self._lines[name], self._sizes[name]
        return True

    def leave_behind(self) -> int:
        """Write the lines of the files that were never acknowledged beside them; how many there are."""
        left = [name for name in self._lines if self._sizes[name]]
        if left:
            self._write_lines([self._lines[name] for name in left], os.O_TRUNC)
        return len(left)

    def discard(self) -> None:
        """Delete every file."""
        for name in list(self._lines):
            with contextlib.suppress(OSError):
                os.unlink(self._path(name))
        for name in (CHUNKS, ABOUT):
            with contextlib.suppress(OSError):
                os.unlink(self._path(name))
        self._lines, self._sizes, self._waiting = {}, {}, []
