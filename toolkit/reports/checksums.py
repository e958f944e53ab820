"""`SHA256SUMS` over everything else in the run folder, as `sha256sum -c` reads it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from toolkit.analysis.results import Results
    from toolkit.recording.layout import RunFolder


def render(results: Results) -> Iterator[tuple[str, bytes]]:
    """One line a file, in the order of their names."""
    run = results.run
    lines = [
        _line(_digest(run.path / name), name) for name in bundled_files(run) if name != run.checksums.name
    ]
    yield run.checksums.name, "".join(lines).encode("utf-8", "surrogateescape")


def bundled_files(run: RunFolder) -> list[str]:
    """Every regular file of the run, relative, sorted. Links and half-written files (`.name…`) are no part of it."""
    found = []
    for path in run.path.rglob("*"):
        relative = path.relative_to(run.path)
        if path.is_file() and not path.is_symlink() and not any(part[0] == "." for part in relative.parts):
            found.append(relative.as_posix())
    return sorted(found)


def mismatches(run: RunFolder) -> list[str]:
    """One sentence for each file that is not as `SHA256SUMS` says, is gone, or is not listed; empty where all agree."""
    if not run.checksums.exists():
        return ["There is no SHA256SUMS: build it with `toolkit report`."]
    listed = dict(_parse(line) for line in _read_lines(run.checksums) if len(line) > 66)
    present = set(bundled_files(run)) - {run.checksums.name}
    said = [f"{name} is listed in SHA256SUMS and is gone." for name in sorted(set(listed) - present)]
    said += [f"{name} is not listed in SHA256SUMS." for name in sorted(present - set(listed))]
    for name in sorted(present & set(listed)):
        if _digest(run.path / name) != listed[name]:
            said.append(f"{name} is not as SHA256SUMS says: it was changed after the report was built.")
    return said


def _read_lines(path: Path) -> list[str]:
    return path.read_bytes().decode("utf-8", "surrogateescape").split("\n")


def _line(digest: str, name: str) -> str:
    # coreutils marks a name that holds a backslash or a newline with a leading backslash and escapes both.
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    mark = "\\" if escaped != name else ""
    return f"{mark}{digest}  {escaped}\n"


def _parse(line: str) -> tuple[str, str]:
    if not line.startswith("\\"):
        return line[66:], line[:64]
    name = line[67:].replace("\\\\", "\0").replace("\\n", "\n").replace("\\r", "\r").replace("\0", "\\")
    return name, line[1:65]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
