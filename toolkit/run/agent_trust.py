"""What is believed of what a server says: bounded, typed, and free of characters that could move a terminal's cursor."""

from __future__ import annotations

import json
import math
import re
from typing import Any

VIEWS = ("wall", "cpu", "gil")
FILE_NAME = re.compile(r"(wall|cpu|gil)-(\d{6})\.raw\.gz", re.ASCII)
"""The only names under which a server's bytes are written here."""

_WITH_BYTES = {
    "file": ("type", "n", "name", "part", "last", "data"),
    "log_block": (
        "type",
        "n",
        "source",
        "t",
        "what",
        "generation",
        "offset",
        "bytes",
        "note",
        "data",
        "since",
    ),
}
_LONGEST_TEXT = 4000
_MOST_ITEMS = 2000
_DEEPEST = 8
_LARGEST = 2**63 - 1

_INTEGERS = ("seq", "start_ns", "end_ns", "samples", "errors", "exit_code", "bytes")
_NUMBERS = ("rate_hz", "late_s", "cpu_s")
_REQUIRED = ("seq", "start_ns", "end_ns", "rate_hz")
_NEGATIVE_TOO = ("exit_code",)
_DAY_NS = 86_400 * 10**9


def plain(text: str, longest: int = _LONGEST_TEXT) -> str:
    """`text` on one line, at most `longest` characters, nothing in it that a terminal would obey."""
    kept = "".join(character if character.isprintable() else " " for character in text[:longest])
    return kept if len(text) <= longest else f"{kept}…"


def read_message(line: bytes) -> dict[str, Any] | None:
    """The JSON object with a `type` in one line, its texts made plain; None where it is no such thing."""
    if not line.lstrip().startswith(b"{"):
        return None
    try:
        message = json.loads(line, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return None
    if message["type"] in _WITH_BYTES:  # the bytes are decoded and bounded where they are written
        return {key: message.get(key) for key in _WITH_BYTES[message["type"]]}
    return {plain(key, 100): _tame(value, _DEEPEST) for key, value in list(message.items())[:_MOST_ITEMS]}


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _tame(value: object, depth: int) -> Any:  # noqa: ANN401 - JSON values
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, list):
        return [_tame(item, depth - 1) for item in value[:_MOST_ITEMS]] if depth else []
    if isinstance(value, dict):
        items = list(value.items())[:_MOST_ITEMS] if depth else []
        return {plain(key, 100): _tame(item, depth - 1) for key, item in items}
    if isinstance(value, int) and abs(value) > _LARGEST:
        return None
    if isinstance(value, float) and not math.isfinite(value):  # 1e999 is JSON, and infinite
        return None
    return value


def chunk_row(message: dict[str, Any]) -> dict[str, Any] | None:
    """The row for chunks.jsonl (exactly `records.CHUNK_FIELDS`), or None where a field is not what it must be."""
    row: dict[str, Any] = {"view": message.get("view")}
    if row["view"] not in VIEWS:
        return None
    for name in (*_INTEGERS, *_NUMBERS):
        value = message.get(name)
        kinds = (int,) if name in _INTEGERS else (int, float)
        if value is None and name not in _REQUIRED:
            row[name] = None
        elif (
            isinstance(value, kinds) and not isinstance(value, bool) and (value >= 0 or name in _NEGATIVE_TOO)
        ):
            row[name] = value
        else:
            return None
    if row["seq"] > 999_999 or not 0 <= row["end_ns"] - row["start_ns"] <= _DAY_NS:
        return None
    note = message.get("note")
    row["note"] = plain(note, 500) if isinstance(note, str) else None
    return row


def pids(value: object) -> list[int]:
    """The PIDs in a list of PIDs or of `{"pid": …}`."""
    found = []
    for item in value if isinstance(value, list) else []:
        pid = item.get("pid") if isinstance(item, dict) else item
        if isinstance(pid, int) and not isinstance(pid, bool) and pid > 0:
            found.append(pid)
    return found
