"""How py-spy is called and what it answers. Only text goes in and out here, but for `dump`."""

from __future__ import annotations

import re
import subprocess
from typing import NamedTuple, Optional

VIEW_FLAGS = {"wall": ("--idle",), "cpu": (), "gil": ("--gil",)}
DUMP_TIMEOUT_S = 10.0
# Nothing of the caller's: RUST_BACKTRACE would bury the reason under a stack of py-spy's own.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}

_SAMPLES = re.compile(r"Samples: (\d+) Errors: (\d+)")
_BEHIND = re.compile(r"([\d.]+)(ms|s) behind in sampling")
_VERSION = re.compile(r"^Python v(\d+)\.(\d+)\.(\d+)(\S*) \((.*)\)\s*$", re.MULTILINE)
_FRAME = re.compile(r"^    (.*) \((.*?)(?::(\d+))?\)\s*$", re.MULTILINE)


class Log(NamedTuple):
    """What a recorder said: `samples` and `errors` are None where it did not end normally; `late_s` is its largest lag."""

    sampling: bool
    samples: Optional[int]
    errors: Optional[int]
    late_s: float
    complaint: str


class Dump(NamedTuple):
    """One look at a process: `version` is empty where py-spy could not read it, and `complaint` says why."""

    version: tuple[int, ...]
    suffix: str
    frames: tuple[tuple[str, str], ...]
    complaint: str


def record_command(
    executable: str, pid: int, view: str, rate_hz: int, output: str, whole_tree: bool = False
) -> list[str]:
    """Recording one view of a process (and of all below it). Never `-d`: it counts samples, not seconds."""
    command = [
        executable,
        "record",
        "-p",
        str(pid),
        "-f",
        "raw",
        "--threads",
        "--nonblocking",
    ]
    tree = ["--subprocesses"] if whole_tree else []
    return [*command, *tree, "--full-filenames", "-r", str(rate_hz), "-o", output, *VIEW_FLAGS[view]]


def dump_command(executable: str, pid: int) -> list[str]:
    """Looking at a process once, without stopping it."""
    return [executable, "dump", "--nonblocking", "--full-filenames", "-p", str(pid)]


def parse_log(text: str) -> Log:
    """Read what `py-spy record` has printed so far."""
    counted = _SAMPLES.search(text)
    late = [float(number) / (1000.0 if unit == "ms" else 1.0) for number, unit in _BEHIND.findall(text)]
    return Log(
        "Sampling process" in text,
        int(counted.group(1)) if counted else None,
        int(counted.group(2)) if counted else None,
        max(late) if late else 0.0,
        complaint(text),
    )


def complaint(text: str) -> str:
    """py-spy's own reason, in one line: its error and the causes below it, without the stack of its own functions."""
    text = text.partition("\nStack backtrace:")[0]
    lines = [line.strip() for line in text.splitlines()]
    for start, line in enumerate(lines):
        if line.startswith(("Error:", "Permission Denied")) or "panicked at" in line:
            told = [
                item
                for item in lines[start : start + 6]
                if item and not item.startswith(("Caused by", "note:"))
            ]
            return " ".join(told)[:300]
    return ""


def parse_dump(text: str) -> Dump:
    """Read the output of `py-spy dump`."""
    version = _VERSION.search(text)
    if version is None:
        return Dump((), "", (), complaint(text) or " ".join(text.split())[:300])
    frames = tuple((name, path) for name, path, _ in _FRAME.findall(text))
    numbers = tuple(int(item) for item in version.group(1, 2, 3))
    return Dump(numbers, version.group(4) + " " + version.group(5), frames, "")


def dump(executable: str, pid: int, timeout_s: float = DUMP_TIMEOUT_S) -> Dump:
    """Look at a process once, without stopping it.

    Raises:
        OSError: py-spy cannot be executed here.
    """
    try:
        done = subprocess.run(
            dump_command(executable, pid),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            env=ENVIRONMENT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Dump((), "", (), "py-spy did not answer within %.0f s" % timeout_s)
    return parse_dump(done.stdout.decode("utf-8", "replace"))
