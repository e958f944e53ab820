"""What kind of machine this is, as far as it bears on recording."""

from __future__ import annotations

import os
import platform
import resource
import sys
from typing import Any, Optional

import procfs


def host(folder: str) -> dict[str, Any]:
    """The `facts` of the `hello` line; `folder` is where recordings are written."""
    system = os.uname()
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return {
        "hostname": system.nodename,
        "system": system.sysname,
        "machine": system.machine,
        "libc": " ".join(platform.libc_ver()).strip() or "musl",
        "python": platform.python_version(),
        "psutil": psutil_version(),
        "kernel": system.release,
        "pid_namespace": procfs.namespace("self"),
        "ptrace_scope": ptrace_scope(),
        "uid": os.geteuid(),
        "user": _own_name(),
        "cpus": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "disk_free_bytes": disk_free_bytes(folder),
        "open_files_limit": None if soft == resource.RLIM_INFINITY else soft,
    }


def psutil_version() -> Optional[str]:
    """The version of the psutil that can be imported; None where there is none."""
    try:
        import psutil
    except Exception:
        return None
    return str(psutil.__version__)


def ptrace_scope() -> Optional[int]:
    """Yama's setting; None where the kernel has no Yama, which is as good as 0."""
    text = procfs.small_file("/proc/sys/kernel/yama/ptrace_scope")
    return int(text) if text and text.isdigit() else None


def may_trace_all() -> bool:
    """Whether this process holds CAP_SYS_PTRACE (bit 19)."""
    for line in (procfs.content("/proc/self/status") or b"").splitlines():
        if line.startswith(b"CapEff:"):
            return bool(int(line.split()[1], 16) >> 19 & 1)
    return False


def disk_free_bytes(folder: str) -> int:
    """What this user may still write there."""
    space = os.statvfs(folder)
    return space.f_bavail * space.f_frsize


def _own_name() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def own_python() -> tuple[int, int, int]:
    """This interpreter's version."""
    return sys.version_info[:3]
