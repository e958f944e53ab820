"""Reads what `py-spy record -f raw --subprocesses --threads` wrote. Pure: bytes in, stacks out; hostile bytes never raise.

A record is `process 7:"command line";process 9:"…";thread (12): name;outer (file.py:1);inner (file.py:2) 34` and a
newline. **Nothing in it is escaped**: a command line may hold semicolons, quotes, newlines, spaces and digits, even
text that looks like a process frame; a thread's name may hold semicolons. So a record is what begins with a
process frame and has come to its thread frame and a count; of the command lines only the PIDs before them are read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_RECORD_START = re.compile(rb'\n(?=process \d+:")')
_THREAD = b'";thread ('
_PROCESS = re.compile(r'(?:^|";)process (\d{1,10}):"')
_THREAD_FRAME = re.compile(r"thread \(([^)]{0,64})\)(?:: )?")
_LARGEST_COUNT = 10**12


@dataclass(frozen=True)
class Stack:
    """One stack of one thread."""

    pid: int | None
    """Of the process that ran it; None where the recording names none."""
    root: int | None
    """The first of its ancestors that the recording names: the recorded process; `pid` itself where it has none."""
    tid: str
    """The thread's number as py-spy wrote it; empty where the recording names none."""
    thread: str
    """The thread's name; empty where it has none."""
    frames: tuple[str, ...]
    """From root to leaf, `function (file.py:12)`; empty where py-spy saw none."""


def split_records(data: bytes) -> tuple[list[tuple[bytes, int]], int]:
    """Cut a chunk into (stack text, samples) and the number of records that cannot be read.

    A record without its newline at the end of the chunk is torn and counts as unreadable. The text is the same for the same
    stack of the same thread, so that callers may keep what `parse_stack` made of it.
    """
    torn = int(bool(data) and not data.endswith(b"\n"))
    if torn:
        data = data[: data.rfind(b"\n") + 1]
    records: list[tuple[bytes, int]] = []
    whole, rest = _whole_records(data[:-1])
    unreadable = max(torn, int(rest))
    for record in whole:
        text, _, count = record.rpartition(b" ")
        if text and count.isdigit() and len(count) <= 13 and 0 < int(count) <= _LARGEST_COUNT:
            records.append((text, int(count)))
        else:
            unreadable += 1
    return records, unreadable


def _whole_records(data: bytes) -> tuple[list[bytes], bool]:
    """The records, and whether something was left that never came to its thread frame."""
    if (
        _THREAD not in data
    ):  # recorded without --threads: nothing tells a command line's own newline from a record's
        return [line for line in data.split(b"\n") if line], False
    records: list[bytes] = []
    pending: list[bytes] = []
    for piece in _RECORD_START.split(data):
        pending.append(piece)
        if _THREAD in piece:
            records.append(piece if len(pending) == 1 else b"\n".join(pending))
            pending.clear()
    return records, bool(pending)


def parse_stack(text: bytes) -> Stack:
    """Read a record's stack text; bytes that are no UTF-8 become U+FFFD."""
    line = text.decode("utf-8", "replace")
    ancestors, thread_mark, rest = line.rpartition('";thread (')
    if not thread_mark:
        return _without_thread(line)
    pids = _PROCESS.findall(ancestors)
    thread, frames = _take_thread(f"thread ({rest}")
    if not pids:
        return Stack(None, None, *thread, frames)
    return Stack(int(pids[-1]), int(pids[0]), *thread, frames)


def _without_thread(line: str) -> Stack:
    pid = root = None
    while found := re.match(r'process (\d{1,10}):".*?"(?:;|$)', line, re.DOTALL):
        pid = int(found[1])
        root = root or pid
        line = line[found.end() :]
    if line.startswith("thread ("):
        thread, frames = _take_thread(line)
        return Stack(pid, root, *thread, frames)
    return Stack(pid, root, "", "", _frames(line.split(";")) if line else ())


def _take_thread(text: str) -> tuple[tuple[str, str], tuple[str, ...]]:
    found = _THREAD_FRAME.match(text)
    if found is None:
        return ("", ""), _frames(text.split(";"))
    name, *parts = text[found.end() :].split(";")
    while parts and not parts[0].endswith(")"):  # a frame ends with its file: this is still the thread's name
        if any(part.endswith(")") for part in parts) and " (" in parts[0]:
            break  # … or the first frame, whose path holds a semicolon
        name = f"{name};{parts.pop(0)}"
    return (found[1], name), _frames(parts)


def _frames(parts: list[str]) -> tuple[str, ...]:
    frames: list[str] = []
    pending = ""
    for part in parts:
        pending = f"{pending};{part}" if pending else part
        if pending.endswith(")"):
            frames.append(pending)
            pending = ""
    if pending:
        frames.append(pending)
    return tuple(frames)
