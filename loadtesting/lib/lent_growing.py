"""Files that are written meanwhile, told line by line; of workers on other hosts and in pods."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = 1 << 20


class Growing:
    """A file that is being written: its whole lines so far, each once."""

    def __init__(self, path: Path, mark: bytes, at: int = 0) -> None:
        self._path, self._mark = path, mark
        self._at, self._rest = at, b""

    def lines(self, *, last: bool = False) -> bytes:
        """What came since the last call, each line after its mark; with `last` an unfinished line of the console too."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._at)
                data = file.read(_BLOCK)
        except OSError:
            data = b""
        self._at += len(data)
        *whole, self._rest = (self._rest + data).split(b"\n")
        if last and not data and self._rest and self._mark == b"c ":
            whole, self._rest = [self._rest], b""  # a record that was torn is none
        return b"".join(self._mark + line + b"\n" for line in whole)


def begun(counter: Path) -> int:
    """How many requests a worker has begun (see locust_recorder/part.py); 0 before the first."""
    with suppress(OSError):
        return int.from_bytes(counter.read_bytes()[:8], "little")
    return 0


GO, STOP, KILL, HEARD, EXIT, FETCHED = "go", "stop", "kill", "heard", "exit", "fetched"
"""Files in a pod's folder, by which lent_line.py and lent_pod.py talk: begin (the clock's offset), end as Ctrl-C would, end at
once, when the controller was last heard, Locust's exit code, that all was fetched."""


def written(path: Path, text: str) -> None:
    """A file that is there whole or not at all."""
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.replace(path)
