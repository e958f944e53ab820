"""Puts the agent onto a server and takes it away again; and writes the same files as a kit for administrators."""

from __future__ import annotations

import contextlib
import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError, UnreachableError, UsageError
from toolkit.probes.delivery import AGENT, PROTOCOL, prepared_files, pushed_files
from toolkit.probes.delivery_look import (
    FOLDER_PATTERN,
    NEEDED_KB,
    PREPARED,
    Said,
    ServerLook,
    made_folder,
    marked_values,
    read_folder,
    read_look,
)
from toolkit.probes.wheels import wheel_for
from toolkit.recording.places import carried

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from toolkit.run.agent_sudo import Elevation
    from toolkit.transports.base import Transport

_ANSWER_S, _PART_S = 30.0, 3.0


@dataclass(frozen=True)
class Placed:
    """Where the agent lies on a server. `folder` is ours to remove; empty for a prepared copy."""

    python: str
    program: str
    folder: str

    def argv(self) -> list[str]:
        """The very command: a sudo rule names it letter by letter."""
        return [self.python, "-u", "-I", self.program]


def place_agent(transport: Transport, python: str, log: Callable[[str], None]) -> tuple[ServerLook, Placed]:
    """Look at the server, make the agent's folder there and fill it, or find that a prepared copy will do.

    Args:
        transport: the connection.
        python: the Python to try first.
        log: takes one line of text.

    Raises:
        UsageError: it cannot run the agent, or there is nothing to bring for such a server.
        UnreachableError: the connection broke, or its shell does not run.
        NotPermittedError, ToolkitError: no folder, no room, programs may not run there, a wheel is missing here.
    """
    look, made, said = _look(transport, python, str(PROTOCOL))
    for remark in look.remarks:
        log(f"passed over: {remark}")
    if look.prepared_python:
        log(f"using the prepared copy in {PREPARED}")
        return look, Placed(look.prepared_python, f"{PREPARED}/{AGENT}", "")
    if not made:  # a prepared copy is there, and cannot be used
        look, made, said = _look(transport, python, "")
    folder = made or read_folder(said, transport.address)
    try:
        files = pushed_files(look.machine, look.libc, look.magic, with_psutil=look.needs_psutil)
        for name, (content, mode) in files.items():
            transport.put(content, f"{folder}/{name}", mode)
    except BaseException:
        with contextlib.suppress(ToolkitError):  # what went wrong first is what matters
            remove_folder(transport, folder, None)
        raise
    log(f"pushed {', '.join(files)} to {folder}")
    return look, Placed(look.python, f"{folder}/{AGENT}", folder)


def _look(transport: Transport, python: str, protocol: str) -> tuple[ServerLook, str, Said]:
    """Look, and have a folder made, in one go: each command of its own costs a login shell there, with its profile."""
    mark = f"toolkit-{secrets.token_hex(8)}"  # begins each line that is ours; nothing that a shell profile prints can hold it
    argv = ["sh", "-s", "--", mark, python, str(NEEDED_KB), protocol]
    said = marked_values(_answer(transport, argv, f"{mark} end=ok".encode()), mark)
    made = made_folder(said)
    try:
        return read_look(said, transport.address), made, said
    except ToolkitError:
        if made:
            with contextlib.suppress(ToolkitError):  # what went wrong first is what matters
                remove_folder(transport, made, None)
        raise


def _answer(transport: Transport, argv: list[str], end: bytes) -> bytes:
    """What the script prints up to the line `end`. Whatever happens before that was heard, it leaves no folder behind."""
    process = transport.start(argv)
    overdue = threading.Timer(_ANSWER_S, process.kill)
    overdue.start()
    heard: list[bytes] = []
    try:
        process.write(_script())
        for stream, line in process.lines():
            if stream == "stdout":
                heard.append(line)
                if end in line:
                    with contextlib.suppress(UnreachableError):  # one that made no folder has ended already
                        process.write(b"heard\n")
                    break
    finally:
        overdue.cancel()
        process.close_input()
        process.wait(_PART_S)
        process.kill()
    return b"\n".join(heard)


def remove_folder(transport: Transport, folder: str, elevation: Elevation | None) -> None:
    """Remove a folder of ours, with the agent's rights where the user's do not suffice.

    Raises:
        UnreachableError: the connection is gone.
        ToolkitError: it is no folder of ours, or could not be removed.
    """
    if not FOLDER_PATTERN.fullmatch(folder) or ".." in folder.split("/"):
        raise ToolkitError(f"{folder!r} on {transport.address} is not a folder of ours; it is left alone.")
    remove = ["rm", "-rf", "--", folder]
    transport.run(remove)
    if elevation is not None and elevation.wanted and transport.exists(folder):
        transport.run(elevation.command(remove), stdin=elevation.first_input())
    if transport.exists(folder):
        raise ToolkitError(
            f"{folder} could not be removed from {transport.address}.",
            f"Remove it there: sudo rm -rf {folder}",
        )


def write_server_kit(out: Path, machine: str, libc: str) -> list[Path]:
    """Write what `prepare-server.sh` installs into the folder `out`, made where it is missing.

    Args:
        out: a new or empty folder, or one that holds such a kit.
        machine: the server's `uname -m`.
        libc: `glibc` or `musl`.

    Returns:
        The files, `prepare-server.sh` first.

    Raises:
        UsageError: no such platform, or `out` holds something else.
        ToolkitError: a wheel is missing here, or `out` cannot be written.
    """
    files = prepared_files(machine, libc)
    for name in ("prepare-server.sh", "sudoers.example"):
        files[name] = ((carried("profile") / name).read_bytes(), 0o755 if name.endswith(".sh") else 0o644)
    pyspy = wheel_for("py-spy", machine, libc).version
    about = f"protocol={PROTOCOL}\npyspy={pyspy}\nmachine={machine}\nlibc={libc}\n"
    files["version"] = (about.encode(), 0o644)
    try:
        if out.exists() and any(out.iterdir()) and not (out / "prepare-server.sh").exists():
            raise UsageError(
                f"{out} is not empty and holds no server kit.", "Name another folder with --out."
            )
        for name, (content, mode) in files.items():
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(mode)
    except OSError as error:
        raise ToolkitError(f"{out} cannot be written: {error.strerror}.") from error
    return [out / "prepare-server.sh", *(out / name for name in files if name != "prepare-server.sh")]


def _script() -> bytes:
    return (carried("profile") / "place.sh").read_bytes()
