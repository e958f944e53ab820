"""Reads compressed files that were cut short: what came before the cut is good."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_PIECE = 1 << 20
_LONGEST_LINE = 1 << 20
_UNREADABLE = b"?\n"


def gzip_pieces(path: Path) -> Generator[bytes, None, bool]:
    """Yield what can be unpacked, at most 1 MiB at a time; return whether the file was whole."""
    unpack = zlib.decompressobj(wbits=31)
    try:
        with path.open("rb") as file:
            while packed := file.read(_PIECE):
                while packed:
                    if unpack.eof:  # a further member begins
                        unpack = zlib.decompressobj(wbits=31)
                    piece = unpack.decompress(packed, _PIECE)
                    packed = unpack.unconsumed_tail or unpack.unused_data
                    if piece:
                        yield piece
    except (OSError, zlib.error):
        return False
    return unpack.eof


def read_gzip(path: Path, largest: int) -> tuple[bytes, bool]:
    """What can be unpacked, up to `largest` bytes, and whether that was all of a whole file."""
    pieces = gzip_pieces(path)
    taken: list[bytes] = []
    size = 0
    while True:
        try:
            piece = next(pieces)
        except StopIteration as end:
            return b"".join(taken), bool(end.value)
        taken.append(piece)
        size += len(piece)
        if size > largest:
            pieces.close()
            return b"".join(taken)[:largest], False


def salvage_lines(source: Path, target: Path) -> bool:
    """Copy the lines of a `.jsonl` or `.jsonl.gz` to a plain `target`; return whether `source` was whole.

    A line longer than 1 MiB becomes one that no reader takes for a record, so that it is counted as unreadable.
    """
    whole = True
    with target.open("wb") as sink:
        pieces = gzip_pieces(source) if source.suffix == ".gz" else _plain_pieces(source)
        rest = b""
        while True:
            try:
                piece = next(pieces)
            except StopIteration as end:
                whole = bool(end.value)
                break
            head, newline, tail = piece.rpartition(b"\n")
            if newline:
                sink.writelines(_bounded(line) for line in (rest + head).split(b"\n"))
                rest = tail
            elif len(rest) <= _LONGEST_LINE:
                rest += tail
        if rest:
            sink.write(_bounded(rest))
    return whole


def _bounded(line: bytes) -> bytes:
    return line + b"\n" if len(line) <= _LONGEST_LINE else _UNREADABLE


def _plain_pieces(path: Path) -> Generator[bytes, None, bool]:
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece
    except OSError:
        return False
    return True
