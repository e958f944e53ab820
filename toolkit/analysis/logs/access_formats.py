"""gunicorn's `access_log_format` as a regular expression that reads its lines back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from toolkit.analysis.logs.stamps import APACHE

_ATOM = re.compile(r"%\(([^()]{1,200})\)[-#0 +]{0,5}\d{0,3}(?:\.\d{1,3})?[sdifrF]|%%")
_ID_HEADER = re.compile(
    r"\{(?:http_)?(?:x[-_])?(?:request|correlation|req|trace)[-_]?id\}[ioe]", re.IGNORECASE
)
_QUOTED = r'[^"\\]*+(?:\\.[^"\\]*+)*+'
_NUMBER = r"-?\d{1,18}|-|None"
_SHAPES = {
    "t": rf"\[{APACHE}\]|\S{{1,64}}",
    "s": r"\d{3}|-|None",
    "b": _NUMBER,
    "B": _NUMBER,
    "T": _NUMBER,
    "D": _NUMBER,
    "M": _NUMBER,
    "L": r"\d{1,12}\.\d{1,9}|-",
    "p": r"<\d{1,10}>|-",
    "m": r"[A-Za-z_-]{1,32}|None",
    "H": r"[A-Za-z]{1,10}/[\d.]{1,5}|-|None",
    "r": r"\S{1,32} .*? [A-Za-z]{1,10}/[\d.]{1,5}",
}
_LONGEST = (16384, 16384, 4096, 1024, 512)
"""How long a line may be, by how many parts of the format may match anything: longer, and a hostile one takes too long."""

ATOMS = {
    "h": "client",
    "t": "time",
    "r": "request",
    "m": "method",
    "U": "path",
    "s": "status",
    "b": "bytes",
    "B": "bytes",
    "T": "seconds",
    "D": "us",
    "M": "ms",
    "L": "decimal_s",
    "p": "pid",
}


@dataclass(frozen=True)
class AccessFormat:
    """A compiled format."""

    pattern: re.Pattern[str]
    """Its groups are named by the values of `ATOMS`, and `request_id`."""
    longest: int
    """A longer line is not tried."""


@lru_cache(maxsize=256)
def compile_format(text: str) -> AccessFormat | None:
    """Compile; None where the format names neither a request nor a path with a status, or cannot be told apart."""
    if len(text) > 4000:
        return None
    parts: list[str] = []
    taken: set[str] = set()
    loose, after = 0, 0
    for atom in _ATOM.finditer(text):
        parts.append(re.escape(text[after : atom.start()]))
        before = text[atom.start() - 1] if atom.start() else ""
        after = atom.end()
        if atom[0] == "%%":
            parts.append("%")
            continue
        shape = _shape(atom[1], before, text[after : after + 1])
        loose += ".*?" in shape
        parts.append(_group(atom[1], shape, taken))
    parts.append(re.escape(text[after:]))
    if "status" not in taken or not taken & {"request", "path"} or loose >= len(_LONGEST):
        return None
    try:
        return AccessFormat(re.compile("".join(parts), re.ASCII), _LONGEST[loose])
    except re.error:
        return None


def _group(name: str, shape: str, taken: set[str]) -> str:
    meaning = "request_id" if _ID_HEADER.fullmatch(name) else ATOMS.get(name)
    if meaning is None or meaning in taken:
        return f"(?:{shape})"
    taken.add(meaning)
    return f"(?P<{meaning}>{shape})"


def _shape(name: str, before: str, following: str) -> str:
    if before == '"' and following == '"' and name not in ("t", "s", "p"):
        return _QUOTED
    if name in _SHAPES:
        return _SHAPES[name]
    if following and following not in " %\\":
        return rf"[^{re.escape(following)}]*+"
    if not following:
        return ".*"
    return r"\S*+" if name in ("h", "l", "q") else ".*?"  # a path stands decoded: it may hold spaces
