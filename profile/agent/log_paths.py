"""Opens what may be a log: regular files alone, by descriptors from directory to directory, so that nobody can swap a part
of the path meanwhile, and nothing waits on a pipe or wakes a device.

A path may lie in a container: then it is walked from the container's root, which its symbolic links mean too.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat as modes
import struct
from typing import Any, List, NamedTuple, Optional, Tuple

import procfs

_MOST_LINKS = 40
_MOST_PARTS = 400
_PART = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_AT_EMPTY_PATH, _STATX_BTIME = 0x1000, 0x800
_BTIME_AT = 80  # in the kernel's struct statx
_STATX: Any = getattr(ctypes.CDLL(None, use_errno=True), "statx", None)  # glibc 2.28, musl 1.2.3

KINDS = (
    (modes.S_ISDIR, "a directory"),
    (modes.S_ISFIFO, "a named pipe"),
    (modes.S_ISSOCK, "a socket"),
    (modes.S_ISCHR, "a device"),
    (modes.S_ISBLK, "a device"),
)

Identity = Tuple[int, int]


class Refused(Exception):
    """Why a file is not opened, in a few words; `missing` where there is none."""

    def __init__(self, reason: str, missing: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.missing = missing


class Opened(NamedTuple):
    """A regular file open for reading."""

    descriptor: int
    identity: Identity
    size: int


def root_of(pid: int) -> str:
    """What the paths of a process must be put behind: nothing, its chroot, or its /proc/PID/root where it is in a container."""
    own, theirs = procfs.namespace("self", "mnt"), procfs.namespace(pid, "mnt")
    if theirs is None:
        return ""
    if own != theirs:
        return "/proc/%d/root" % pid
    try:
        root = os.readlink("/proc/%d/root" % pid)
    except OSError:
        return ""
    return "" if root == "/" else root


def inside(root: str, path: str) -> str:
    """A path that the kernel told, as the process itself sees it: of one in a chroot it tells ours."""
    if root and not root.startswith("/proc/") and path.startswith(root + "/"):
        return path[len(root) :]
    return path


def identity(root: str, path: str) -> Optional[Identity]:
    """Which file is at a path now; None where there is none that can be seen."""
    try:
        if not root:
            found = os.stat(path)
            return found.st_dev, found.st_ino
        descriptor = _located(root, path)
    except (OSError, ValueError, Refused):
        return None
    try:
        found = os.fstat(descriptor)
        return found.st_dev, found.st_ino
    finally:
        os.close(descriptor)


def opened(root: str, path: str) -> Opened:
    """Open the regular file at `path`.

    Raises:
        Refused: it is something else, is missing, or may not be read.
    """
    try:
        located = _located(root, path)
    except (OSError, ValueError) as error:
        raise _refusal(error) from None
    try:
        kind = kind_of(os.fstat(located).st_mode)
        if kind:
            raise Refused("it is %s" % kind)
        # The very file that was looked at, whatever stands at its name by now.
        descriptor = os.open(
            "/proc/self/fd/%d" % located, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        )
    except OSError as error:
        raise _refusal(error) from None
    finally:
        os.close(located)
    found = os.fstat(descriptor)
    return Opened(descriptor, (found.st_dev, found.st_ino), found.st_size)


def kind_of(mode: int) -> str:
    """What it is where it is no regular file; empty where it is one."""
    return next((name for test, name in KINDS if test(mode)), "" if modes.S_ISREG(mode) else "no file")


def _refusal(error: Exception) -> Refused:
    missing = isinstance(error, (FileNotFoundError, NotADirectoryError))
    reason = (getattr(error, "strerror", None) or "its name is odd").lower()
    return Refused("it may not be read" if isinstance(error, PermissionError) else reason, missing)


def _located(root: str, path: str) -> int:
    """A descriptor of what `path` means, with every symbolic link followed; the owner of each must be trusted.

    A link counts where it is root's, our own, or of the owner of what it leads to: somebody else's would make a powerful
    agent read what its owner may not.
    """
    waiting = [part for part in path.split("/") if part not in ("", ".")][::-1]
    owners: List[int] = []
    folders = [os.open(root or "/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)]
    try:
        while waiting:
            part = waiting.pop()
            if part == "..":
                if len(folders) > 1:
                    os.close(folders.pop())
                continue
            here = os.open(part, _PART, dir_fd=folders[-1])
            found = os.fstat(here)
            if modes.S_ISLNK(found.st_mode):
                target = _target(here)
                owners.append(found.st_uid)
                waiting += [item for item in target.split("/") if item not in ("", ".")][::-1]
                if len(owners) > _MOST_LINKS or len(waiting) > _MOST_PARTS:
                    raise Refused("it has too many symbolic links")
                if target.startswith("/"):
                    _close(folders[1:])
                    del folders[1:]
            elif waiting and not modes.S_ISDIR(found.st_mode):
                os.close(here)
                raise Refused("a part of its path is no directory", missing=True)
            elif not waiting:
                return _trusted(here, owners, found.st_uid)
            else:
                folders.append(here)
        return _trusted(os.dup(folders[-1]), owners, os.fstat(folders[-1]).st_uid)
    finally:
        _close(folders)


def _target(link: int) -> str:
    try:
        return os.readlink("", dir_fd=link)
    finally:
        os.close(link)


def _trusted(descriptor: int, owners: List[int], owner: int) -> int:
    if all(item in (0, os.getuid(), owner) for item in owners):
        return descriptor
    os.close(descriptor)
    raise Refused("a symbolic link to another user's file leads there")


def _close(descriptors: List[int]) -> None:
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            os.close(descriptor)


def born_ns(descriptor: int) -> Optional[int]:
    """When a file was made, UTC nanoseconds; None where the file system or the C library cannot tell."""
    if _STATX is None:
        return None
    buffer = ctypes.create_string_buffer(256)
    if _STATX(descriptor, b"", _AT_EMPTY_PATH, _STATX_BTIME, buffer) != 0:
        return None
    if not struct.unpack_from("=I", buffer)[0] & _STATX_BTIME:
        return None
    seconds, fraction = struct.unpack_from("=qI", buffer, _BTIME_AT)
    return int(seconds * 1000000000 + fraction) or None


def small_content(root: str, path: str, limit: int) -> Tuple[Optional[bytes], str]:
    """(the first bytes of a regular file, or None, why not)."""
    try:
        file = opened(root, path)
    except Refused as refused:
        return None, refused.reason
    try:
        return os.pread(file.descriptor, limit, 0), ""
    except OSError as error:
        return None, error.strerror or "it cannot be read"
    finally:
        os.close(file.descriptor)
