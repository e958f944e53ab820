"""Where a gunicorn's standard output and error go: to a file, to the journal, or where nobody can follow them."""

from __future__ import annotations

import glob
import os
import re
from typing import TYPE_CHECKING, NamedTuple, Optional

import choose
import log_descriptors
import procfs

if TYPE_CHECKING:
    import trees

_NAMES = {1: "standard output", 2: "standard error"}
_CONTAINER = re.compile(r"(?:^|[/-])([0-9a-f]{64})(?:\.scope)?(?:/|$)")


class Stream(NamedTuple):
    """Where a stream goes: `file` (its path), `unit` (of the journal), or neither, and `told` says what it is then.

    `manager` is `user` where the unit is a user's own.
    """

    file: Optional[str]
    unit: Optional[str]
    told: str
    manager: str = ""


def stream_of(tree: trees.Tree, number: int) -> Stream:
    """Follow descriptor 1 or 2 of the arbiter."""
    pid = tree.arbiter.pid
    target = log_descriptors.target_of(pid, number)
    if (
        target.startswith("/")
        and not target.startswith("/dev/")
        and not target.endswith(log_descriptors.DELETED)
    ):
        return Stream(target, None, target)
    if target.startswith("socket:["):
        return _socket(pid, target[8:-1])
    return Stream(None, None, _told(pid, target))


def _socket(pid: int, inode: str) -> Stream:
    unit = choose.unit_of(pid)
    if not unit or not _is_journal(pid, inode):
        return Stream(None, None, "a socket")
    users = any("/user@" in path for path in procfs.control_groups(pid))
    return Stream(None, unit, "the journal of %s" % unit, "user" if users else "")


def _told(pid: int, target: str) -> str:
    """What nobody can follow, in a few words."""
    if target.endswith(log_descriptors.DELETED):
        return "a file that was deleted"
    if target.startswith("pipe:["):
        return "a pipe" + _whose(pid)
    if target.startswith(("/dev/pts/", "/dev/tty")):
        return "a terminal"
    return target[:60] or "which may not be seen"


def name_of(number: int) -> str:
    """`standard error`, for people."""
    return _NAMES[number]


def _is_journal(pid: int, inode: str) -> bool:
    """systemd says in JOURNAL_STREAM which socket is the journal's; systemd-cat does not, nor can an environment that a
    process title has overwritten: then a socket of a unit's is taken for it.
    """
    told = (procfs.environment(pid) or {}).get("JOURNAL_STREAM")
    return told is None or told.partition(":")[2] == inode


def _whose(pid: int) -> str:
    """What a container's runtime makes of the pipe."""
    found = next((m for m in map(_CONTAINER.search, procfs.control_groups(pid)) if m), None)
    if found is None:
        return ""
    number = found.group(1)
    paths = [
        path
        for pattern in (
            "/var/lib/docker/containers/%s/%s-json.log" % (number, number),
            "/var/log/containers/*%s*" % number,
        )
        for path in glob.glob(pattern)
    ]
    if paths and os.access(paths[0], os.R_OK):
        return " into a container's log: name %s in the plan" % paths[0]
    return " of the container %s" % number[:12]
