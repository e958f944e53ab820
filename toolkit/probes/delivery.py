"""What goes onto a server: the agent as one file, py-spy, and psutil where it is missing."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError
from toolkit.probes.agent_program import agent_archive
from toolkit.probes.wheels import fetch_wheel
from toolkit.recording.places import carried

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.probes.agent_program import Files

PROTOCOL = 1
"""What profile/agent/PROTOCOL.md calls the protocol number."""

AGENT = "agent.pyz"
PYSPY = "py-spy"

_OTHER_SYSTEMS = ("_psaix.py", "_psbsd.py", "_psosx.py", "_pssunos.py", "_pswindows.py")


def pushed_files(machine: str, libc: str, magic: str, *, with_psutil: bool) -> Files:
    """The agent and the wheels beside it; the agent unpacks them there, as whoever it runs as.

    Args:
        machine: the server's `uname -m`.
        libc: `glibc` or `musl`.
        magic: of the server's Python, see `agent_archive`.
        with_psutil: whether the server lacks it.

    Raises:
        UsageError: no such platform.
        ToolkitError: a wheel is missing here, or the agent's own source is.
    """
    wheels = [fetch_wheel(name, machine, libc) for name in ("py-spy", "psutil")[: 1 + with_psutil]]
    files: Files = {AGENT: (agent_archive(carried("profile") / "agent", magic), 0o600)}
    files.update({wheel.name: (wheel.read_bytes(), 0o600) for wheel in wheels})
    return files


def prepared_files(machine: str, libc: str) -> Files:
    """What an administrator installs for good: the agent, the py-spy executable and psutil's package.

    Raises:
        UsageError, ToolkitError: as for `pushed_files`.
    """
    files: Files = {AGENT: (agent_archive(carried("profile") / "agent"), 0o644)}
    files[PYSPY] = (pyspy_executable(fetch_wheel("py-spy", machine, libc)), 0o755)
    files.update(psutil_package(fetch_wheel("psutil", machine, libc)))
    return files


def pyspy_executable(wheel: Path) -> bytes:
    """The py-spy executable inside its wheel.

    Raises:
        ToolkitError: the wheel holds none.
    """
    with zipfile.ZipFile(wheel) as packed:
        for name in packed.namelist():
            if name.endswith(".data/scripts/py-spy"):
                return packed.read(name)
    raise ToolkitError(f"{wheel} holds no py-spy executable.")


def psutil_package(wheel: Path) -> Files:
    """`lib/psutil/…` out of psutil's wheel, without the modules of other systems."""
    with zipfile.ZipFile(wheel) as packed:
        return {
            f"lib/{name}": (packed.read(name), 0o644)
            for name in packed.namelist()
            if name.startswith("psutil/") and not name.endswith(("/", *_OTHER_SYSTEMS))
        }
