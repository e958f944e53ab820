"""Which of the files that a process holds open are logs: regular ones that it appends text to."""

from __future__ import annotations

import os
import re
from typing import Iterator, NamedTuple, Optional

import log_paths
import procfs

_NO_LOG = re.compile(
    r"(\.(sqlite3?|db3?|mdb|ldb|sst|rdb|aof|dat|data|bin|idx|pid|lock|lck|tmp|temp|swp|sock|py[cod]|so|mmap|pickle|pkl|"
    r"gz|xz|bz2|zst|zip|tar|parquet|prof|pstats|png|jpe?g|pdf|h5|npy)|-(wal|shm|journal))(\.\d+)?$",
    re.IGNORECASE,
)
_LOG = re.compile(r"(log|access|error|\.(out|err|txt|jsonl?)$|stdout|stderr|trace)", re.IGNORECASE)
_MEMORY = ("/dev/", "/proc/", "/sys/", "/run/lock/", "/memfd:")
_SAMPLE = 4096
_TEXT_CONTROLS = b"\t\n\r\x1b\x08\x0b\x0c"
_CONTROLS = bytes(set(range(32)) - set(_TEXT_CONTROLS)) + b"\x7f"
_MOST_CONTROLS = 0.3  # of a sample
DELETED = " (deleted)"


class Held(NamedTuple):
    """A descriptor of a process and what it leads to, as the kernel writes it."""

    pid: int
    number: int
    target: str


def held_by(pid: int) -> Optional[Iterator[Held]]:
    """Every descriptor of a process; None where they may not be seen."""
    folder = "/proc/%d/fd" % pid
    try:
        names = os.listdir(folder)
    except OSError:
        return None
    return _targets(pid, names)


def _targets(pid: int, names: list[str]) -> Iterator[Held]:
    for name in sorted(names, key=int):
        target = target_of(pid, int(name))
        if target:
            yield Held(pid, int(name), target)


def target_of(pid: int, number: int) -> str:
    """What a descriptor leads to; empty where there is none, or it may not be seen."""
    try:
        return os.readlink("/proc/%d/fd/%d" % (pid, number))
    except OSError:
        return ""


def flags_of(held: Held) -> Optional[int]:
    """The flags that a file was opened with."""
    for line in (procfs.content("/proc/%d/fdinfo/%d" % (held.pid, held.number)) or b"").splitlines():
        if line.startswith(b"flags:"):
            return int(line.split()[1], 8)
    return None


def why_not(held: Held, root: str) -> Optional[str]:
    """Why a file that is held open is no log to be followed: empty where nobody needs to hear of it; None where it is one."""
    path = held.target
    if not path.startswith("/") or path.endswith(DELETED) or path.startswith(_MEMORY):
        return ""
    flags = flags_of(held)
    if flags is None or flags & os.O_ACCMODE == os.O_RDONLY:
        return ""
    name = os.path.basename(path)
    if _NO_LOG.search(name):
        return "by its name it is no log"
    if not flags & os.O_APPEND and held.number > 2 and not _LOG.search(name):
        return "it is not appended to, and its name is no log's"
    if _is_binary(root, log_paths.inside(root, path)):
        return "it holds no text"
    return None


def _is_binary(root: str, path: str) -> bool:
    """Whether the end of a file is no text. What cannot be read is said when it is to be followed."""
    try:
        file = log_paths.opened(root, path)
    except log_paths.Refused as refused:
        return refused.reason.startswith(
            "it is "
        )  # a directory or a device is no log; what may not be read could be one
    try:
        head = os.pread(file.descriptor, 16, 0)
        sample = os.pread(file.descriptor, _SAMPLE, max(0, file.size - _SAMPLE))
    except OSError:
        return False
    finally:
        os.close(file.descriptor)
    return head.startswith(b"SQLite format 3\0") or looks_binary(sample)


def looks_binary(sample: bytes) -> bool:
    """Whether bytes are no text in any encoding that a log would have."""
    if not sample:
        return False
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    return controls > _MOST_CONTROLS * len(sample)
