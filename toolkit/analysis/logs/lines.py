"""Lines out of recorded bytes, each with the times between which it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from toolkit.analysis.logs.recorded import Block, LogSource

LONGEST_LINE = 64 << 10
_PIECE = 1 << 20


class Line(NamedTuple):
    """One line. Times are the server's."""

    position: int
    """Of its first byte in the recorded file."""
    size: int
    """Bytes, with the line's end."""
    low_ns: int
    high_ns: int
    text: str
    """Its first 64 KiB without the end of the line; what is no UTF-8 is replaced."""


def lines_of(source: LogSource) -> Iterator[Line]:
    """Every line, in order. A line ends at a rotation too, and where bytes are missing."""
    if source.file is None:
        return
    try:
        with source.file.open("rb") as file:
            yield from _lines(file, source.blocks)
    except OSError:
        return


def _lines(file: BinaryIO, blocks: list[Block]) -> Iterator[Line]:
    rest = _Rest()
    for block in blocks:
        if block.fresh and rest.size:
            yield rest.take()
        file.seek(block.position)
        position, left = block.position, block.size
        while left and (data := file.read(min(left, _PIECE))):
            left -= len(data)
            pieces = data.split(b"\n")
            for piece in pieces[:-1]:
                if rest.size:
                    rest.add(piece, position, block)
                    rest.size += 1
                    yield rest.take()
                else:
                    yield Line(
                        position, len(piece) + 1, block.low_ns, block.high_ns, _text(piece[:LONGEST_LINE])
                    )
                position += len(piece) + 1
            if pieces[-1]:
                rest.add(pieces[-1], position, block)
                position += len(pieces[-1])
    if rest.size:
        yield rest.take()


def _text(raw: bytes) -> str:
    return raw.rstrip(b"\r").decode("utf-8", "replace")


class _Rest:
    """A line whose end has not come yet: its start, and how long it is."""

    def __init__(self) -> None:
        self.size = 0
        self._kept = bytearray()
        self._position = self._low_ns = self._high_ns = 0

    def add(self, piece: bytes, position: int, block: Block) -> None:
        if not self.size:
            self._position, self._low_ns = position, block.low_ns
        self._high_ns = block.high_ns
        self.size += len(piece)
        self._kept += piece[: LONGEST_LINE - len(self._kept)]

    def take(self) -> Line:
        line = Line(self._position, self.size, self._low_ns, self._high_ns, _text(bytes(self._kept)))
        self.size = 0
        self._kept.clear()
        return line
