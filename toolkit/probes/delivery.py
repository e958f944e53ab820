"""What goes onto a server: the agent as one file, py-spy, and psutil where it is missing."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError
from toolkit.probes.wheels import fetch_wheel
from toolkit.recording.places import carried

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PROTOCOL = 1
"""What profile/agent/PROTOCOL.md calls the protocol number."""

AGENT = "agent.pyz"
PYSPY = "py-spy"

Files = dict[str, tuple[bytes, int]]
"""Path below the agent's folder → (content, mode)."""

_OTHER_SYSTEMS = ("_psaix.py", "_psbsd.py", "_psosx.py", "_pssunos.py", "_pswindows.py")
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)


def pushed_files(machine: str, libc: str, *, with_psutil: bool) -> Files:
    """The agent and the wheels beside it; the agent unpacks them there, as whoever it runs as.

    Raises:
        UsageError: no such platform.
        ToolkitError: a wheel is missing here, or the agent's own source is.
    """
    wheels = [fetch_wheel(name, machine, libc) for name in ("py-spy", "psutil")[: 1 + with_psutil]]
    files: Files = {AGENT: (agent_archive(carried("profile") / "agent"), 0o600)}
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


def agent_archive(source: Path) -> bytes:
    """`agent.pyz`: the agent's modules as a zip application, the same bytes for the same source.

    Raises:
        ToolkitError: there is no agent in `source`.
    """
    files: Files = {}
    for path in sorted(source.rglob("*.py")):
        relative = path.relative_to(source)
        if not any(part.startswith((".", "__pycache__")) for part in relative.parts):
            files[relative.as_posix()] = (path.read_bytes(), 0o644)
    if "__main__.py" not in files:
        raise ToolkitError(f"The agent is missing: {source} has no __main__.py.", "Install the toolkit anew.")
    return archive(files)


def archive(files: Mapping[str, tuple[bytes, int]]) -> bytes:
    """A zip of `files`, without anything in it that changes from one day or machine to the next."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in sorted(files):
            content, mode = files[name]
            member = zipfile.ZipInfo(name, _FIXED_TIME)
            member.create_system = 3  # Unix, on every machine, so that the mode is kept
            member.external_attr = (0o100000 | mode) << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(member, content)
    return buffer.getvalue()


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
