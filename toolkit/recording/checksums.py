"""`SHA256SUMS` as `sha256sum -c` reads it: what was recorded keeps the sum that it had when the run ended."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.recording.layout import RunFolder

_FOLDERS = ("load", "servers", "generator")


def read_sums(run: RunFolder) -> dict[str, str]:
    """File → its sum; empty where there is no list."""
    try:
        text = run.checksums.read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return {}
    return dict(_parse(line) for line in text.split("\n") if len(line) > 66)


def sums_text(sums: dict[str, str]) -> bytes:
    """The list, in the order of the names."""
    return "".join(_line(sums[name], name) for name in sorted(sums)).encode("utf-8", "surrogateescape")


def digest(path: Path) -> str:
    """The sum of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def present_files(run: RunFolder) -> list[str]:
    """Every regular file of the run, relative, sorted. Links and half-written files (`.name…`) are no part of it."""
    found = []
    for path in run.path.rglob("*"):
        relative = path.relative_to(run.path)
        if path.is_file() and not path.is_symlink() and not any(part[0] == "." for part in relative.parts):
            found.append(relative.as_posix())
    return sorted(found)


def recorded_sums(run: RunFolder) -> dict[str, str]:
    """Those of what was recorded: nobody writes it again once the run has ended. Empty where there is no list, or where it is of
    a run that went on after it was made, as a report that was built meanwhile leaves one."""
    sums = {name: told for name, told in read_sums(run).items() if is_recorded(run, name)}
    try:
        is_last = sums.get(run.manifest.name) == digest(run.manifest)
    except OSError:
        is_last = False
    return sums if is_last else {}


def changed_files(run: RunFolder) -> list[tuple[str, str]]:
    """(name, sentence) of each recorded file that is not as it was when the run ended, is gone, or has come; empty while the run
    has no list yet."""
    before = recorded_sums(run)
    if not before:
        return []
    now = {name for name in present_files(run) if is_recorded(run, name)}
    found = [(name, f"{name} is gone: SHA256SUMS lists it.") for name in sorted(before.keys() - now)]
    found += [
        (name, f"{name} came after the run had ended: SHA256SUMS does not list it.")
        for name in sorted(now - before.keys())
    ]
    found += [
        (name, f"{name} was changed after the run had ended: it is not as SHA256SUMS says.")
        for name in sorted(now & before.keys())
        if digest(run.path / name) != before[name]
    ]
    return found


def is_recorded(run: RunFolder, name: str) -> bool:
    """Whether the run wrote it; somebody may put a file of their own beside it."""
    return name.partition("/")[0] in _FOLDERS or name in {run.manifest.name, run.events.name, run.plan.name}


def _line(told: str, name: str) -> str:
    # coreutils marks a name that holds a backslash or a newline with a leading backslash and escapes both.
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    mark = "\\" if escaped != name else ""
    return f"{mark}{told}  {escaped}\n"


def _parse(line: str) -> tuple[str, str]:
    if not line.startswith("\\"):
        return line[66:], line[:64]
    name = line[67:].replace("\\\\", "\0").replace("\\n", "\n").replace("\\r", "\r").replace("\0", "\\")
    return name, line[1:65]
