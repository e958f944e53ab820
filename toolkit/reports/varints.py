"""Columns of numbers as bytes: unsigned LEB128, and differences folded so that they are unsigned."""

from __future__ import annotations

from itertools import chain, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SHORT = 1 << 14


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


_TABLE = [_varint(value) for value in range(_SHORT)]


def encode(values: Iterable[int]) -> bytes:
    """Each of `values` (at least 0) as a varint.

    Raises:
        ValueError: one is negative.
    """
    return b"".join(
        [
            _TABLE[value] if 0 <= value < _SHORT else _long(value) for value in values
        ]  # a table: there may be millions
    )


def _long(value: int) -> bytes:
    if value < 0:
        raise ValueError(f"{value} is negative")
    return _varint(value)


def deltas(values: Sequence[int]) -> list[int]:
    """Each difference to the value before (the first: to 0), folded: 0, -1, 1, -2 … → 0, 1, 2, 3 …"""
    return [
        (after - before) * 2 if after >= before else (before - after) * 2 - 1
        for before, after in pairwise(chain((0,), values))
    ]


def decode(data: bytes | memoryview) -> list[int]:
    """The numbers that `encode` wrote.

    Raises:
        ValueError: the last one is cut short.
    """
    values: list[int] = []
    value = shift = 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        if byte & 0x80:
            shift += 7
        else:
            values.append(value)
            value = shift = 0
    if shift:
        raise ValueError("a number is cut short")
    return values
