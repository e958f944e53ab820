"""Durations, percentages and sizes as people write them: `5s`, `500ms`, `1m30s`, `2h`; `5%`; `50 MB`."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)")
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?\s*(?:ms|s|m|h)\s*)+")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%?")

_UNITS_BYTES = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "k": 10**3,
    "m": 10**6,
    "g": 10**9,
    "ki": 2**10,
    "mi": 2**20,
    "gi": 2**30,
}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*((?:[kmg]i?)?b?)", re.IGNORECASE)


def parse_duration(value: Any) -> float:  # noqa: ANN401 - whatever YAML gave
    """Seconds from `90`, `"90s"`, `"1m30s"`, `"500ms"`.

    Raises:
        ValueError: anything else.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    text = str(value).strip()
    if _DURATION.fullmatch(text):
        return sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(text))
    raise ValueError(f"{value!r} is no duration; write 500ms, 5s, 1m30s or 2h")


def parse_percent(value: Any) -> float:  # noqa: ANN401 - whatever YAML gave
    """Percent from `5`, `"5"` or `"5%"`.

    Raises:
        ValueError: anything else.
    """
    match = _PERCENT.fullmatch(str(value).strip()) if not isinstance(value, bool) else None
    if match is None:
        raise ValueError(f"{value!r} is no percentage; write 5%")
    return float(match[1])


def parse_size(value: Any) -> int:  # noqa: ANN401 - whatever YAML gave
    """Bytes from `5000`, `"500 kB"`, `"50MB"`, `"2 GiB"`.

    Raises:
        ValueError: anything else.
    """
    match = _SIZE.fullmatch(str(value).strip()) if not isinstance(value, bool) else None
    if match is None:
        raise ValueError(f"{value!r} is no size; write 500 kB, 50 MB or 2 GiB")
    return int(float(match[1]) * _UNITS_BYTES[match[2].lower()])


def format_size(count: int) -> str:
    """The shortest way to write it: `50 MB`, `1536 B`."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count and count % factor == 0:
            return f"{count // factor} {unit}"
    return f"{count} B"


def format_duration(seconds: float) -> str:
    """The shortest way to write it: `5s`, `1m30s`, `500ms`."""
    if seconds < 1:
        return f"{seconds * 1000:g}ms"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    parts = [f"{hours}h" if hours else "", f"{minutes}m" if minutes else "", f"{rest:g}s" if rest else ""]
    return "".join(parts)


Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0},
                {"type": "string", "pattern": r"^(\d+(\.\d+)?\s*(ms|s|m|h)\s*)+$"},
            ],
            "description": "seconds, or 500ms, 5s, 1m30s, 2h",
        }
    ),
]
Percent = Annotated[
    float,
    BeforeValidator(parse_percent),
    PlainSerializer(lambda value: f"{value:g}%"),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0},
                {"type": "string", "pattern": r"^\d+(\.\d+)?\s*%?$"},
            ]
        }
    ),
]
Size = Annotated[
    int,
    BeforeValidator(parse_size),
    PlainSerializer(format_size),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": r"^\d+(\.\d+)?\s*([kKmMgG][iI]?)?[bB]?$"},
            ],
            "description": "bytes, or 500 kB, 50 MB, 2 GiB",
        }
    ),
]
