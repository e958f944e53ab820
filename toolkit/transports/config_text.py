"""Puts the files that an ssh_config includes in their places, for where there is no ssh to do it."""

from __future__ import annotations

import glob
import re
from pathlib import Path

from toolkit.errors import UsageError

_INCLUDE = re.compile(r"\s*Include(?:\s+|\s*=\s*)(.+)", re.IGNORECASE)
_BLOCK = re.compile(r"\s*(?:Host|Match)\b", re.IGNORECASE)
_EXEC = re.compile(r"\s*Match\b.*\bexec\b", re.IGNORECASE)
_DEPTH = 16  # ssh's own limit


def inlined(path: Path, base: Path, depth: int = 0) -> str:
    """The text of a configuration with everything it includes.

    A block goes on after an Include in it. (A Host block inside an included file counts even where the block that
    includes the file does not match; ssh would skip it.)

    Args:
        path: the file; empty text where it does not exist.
        base: where relative paths of Include start: ~/.ssh, or /etc/ssh for the system's.
        depth: how many files deep we are.

    Raises:
        UsageError: files include one another without end, or one uses `Match exec` (paramiko would run the command on
            the operator's own standard input).
    """
    if depth > _DEPTH:
        raise UsageError(f"The SSH configuration {path} is included more than {_DEPTH} levels deep.")
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    block = "Host *"
    lines: list[str] = []
    for line in text.splitlines():
        if _BLOCK.match(line):
            block = line
            if _EXEC.match(line):
                raise UsageError(
                    f"The SSH configuration {path} uses Match exec, which only ssh itself can follow.",
                    "Install OpenSSH's client (Debian: apt-get install openssh-client).",
                )
        found = _INCLUDE.fullmatch(line)
        if found is None:
            lines.append(line)
            continue
        for pattern in re.findall(r'"([^"]*)"|(\S+)', found[1]):
            for name in _files("".join(pattern), base):
                lines += [inlined(name, base, depth + 1), block]
    return "\n".join(lines) + "\n"


def _files(pattern: str, base: Path) -> list[Path]:
    whole = Path(pattern).expanduser()
    return [Path(name) for name in sorted(glob.glob(str(whole if whole.is_absolute() else base / whole)))]  # noqa: PTH207
