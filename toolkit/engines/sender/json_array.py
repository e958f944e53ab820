"""The elements of a JSON array, one at a time, in a file of any size."""

from __future__ import annotations

import json
import re
from typing import IO, TYPE_CHECKING

from toolkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PIECE = 1 << 20
_BETWEEN = re.compile(r"[ \t\r\n]*")


def elements(path: Path, file: IO[bytes], longest: int) -> Iterator[tuple[int, bytes, int]]:
    """Yield offset, bytes and line (from 1) of each element.

    Args:
        path: for messages.
        file: just before the array.
        longest: an element of more bytes is a mistake.

    Raises:
        UsageError: no JSON array, or an empty one.
    """
    text = _Text(path, file, longest)
    text.open()
    while True:
        found = text.element()
        if found is None:
            return
        yield found


class _Text:
    """A window on the file. Read as latin-1, in which a character is a byte: what steers JSON is ASCII, so that elements begin
    and end where they do in UTF-8.
    """

    def __init__(self, path: Path, file: IO[bytes], longest: int) -> None:
        self._path, self._file, self._longest = path, file, longest
        self._decode = json.JSONDecoder().raw_decode
        self._base = file.tell()
        self._text = ""
        self._at = 0
        self._line = 1
        self._first = True
        self._closed = False

    def open(self) -> None:
        """Go past the bracket."""
        self._more()
        self._go_to(self._past(self._at))
        if self._at >= len(self._text):
            raise UsageError(f"{self._path} is empty.", "Write a JSON array of objects.")
        if self._text[self._at] != "[":
            raise UsageError(
                f"{self._path}: this is no JSON array.", "A file of one object a line is called .jsonl."
            )
        self._at += 1

    def element(self) -> tuple[int, bytes, int] | None:
        """The next one; None after the last."""
        while not self._closed:
            try:
                return self._whole_element()
            except ValueError as error:
                # Perhaps only not read as far: the rest of it is in the next piece.
                if len(self._text) - self._at > self._longest or not self._more():
                    raise self._mistake(error) from None
        return None

    def _whole_element(self) -> tuple[int, bytes, int]:
        text, begin = self._text, self._past(self._at)
        if begin < len(text) and text[begin] == "]" and self._first:
            raise UsageError(f"{self._path} holds no record.", "Write a JSON array of objects.")
        _, end = self._decode(text, begin)
        after = self._past(end)
        if after >= len(text):
            raise ValueError("it is cut short")
        if text[after] not in ",]":
            self._go_to(after)
            raise self._mistake(ValueError(f"{text[after]!r} where a comma or ] should stand"))
        self._go_to(begin)
        found = (self._base + begin, text[begin:end].encode("latin-1"), self._line)
        self._go_to(after)
        self._at += 1
        self._first, self._closed = False, text[after] == "]"
        return found

    def _go_to(self, at: int) -> None:
        self._line += self._text.count("\n", self._at, at)
        self._at = at

    def _past(self, at: int) -> int:
        found = _BETWEEN.match(self._text, at)
        return found.end() if found else at

    def _more(self) -> bool:
        piece = self._file.read(_PIECE).decode("latin-1")
        self._base += self._at
        self._text, self._at = self._text[self._at :] + piece, 0
        return bool(piece)

    def _mistake(self, error: ValueError) -> UsageError:
        self._go_to(self._past(self._at))
        return UsageError(
            f"{self._path}:{self._line}: this is no JSON: {getattr(error, 'msg', None) or error}.",
            "In an array one mistake spoils the rest; of JSON lines (.jsonl) it costs one record.",
        )
