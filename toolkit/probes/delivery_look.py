"""Reads what profile/place.sh says: text in, facts or a clear error out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from toolkit.errors import NotPermittedError, ToolkitError, UnreachableError, UsageError
from toolkit.probes.delivery import PROTOCOL

PREPARED = "/usr/local/lib/gunicorn-toolkit"
FOLDER_PATTERN = re.compile(r"/(?:[^/\x00-\x1f]+/)*toolkit(?:-agent)?\.[A-Za-z0-9_]{8}")
"""What we may remove: nothing else is ever handed to `rm`."""

NEEDED_KB = 100 * 1024
_OLDEST_PSUTIL = (5, 9)
_LONGEST_VALUE = 1000

Said = list[tuple[str, str]]
"""What it said, key and value, in order."""


@dataclass(frozen=True)
class ServerLook:
    """What a server has."""

    python: str
    """Absolute path."""
    python_version: str
    magic: str
    """What its bytecode begins with, in hexadecimal."""
    machine: str
    libc: str
    psutil: str
    """Its version, or empty."""
    sudo: str
    """Path of sudo, or empty."""
    uid: int
    prepared_python: str
    """The Python that the sudo rule of a prepared copy names; empty where there is no usable copy."""
    remarks: tuple[str, ...] = field(default=())
    """What was passed over, and why: for the log."""

    @property
    def needs_psutil(self) -> bool:
        """Whether the server's Python lacks a psutil that the agent can use."""
        numbers = re.findall(r"\d+", self.psutil)
        return tuple(int(number) for number in numbers[:2]) < _OLDEST_PSUTIL


def marked_values(stdout: bytes, mark: str) -> Said:
    """The `MARK key=value` lines in order, control characters dropped; all else is somebody's shell profile."""
    values = []
    for line in stdout.decode("utf-8", "replace").splitlines():
        # A profile may print without a newline, so that the mark need not stand at the line's start.
        _, found, rest = line.partition(f"{mark} ")
        key, separator, value = rest.partition("=")
        if found and separator:
            printable = "".join(character for character in value if character.isprintable())
            values.append((key, printable[:_LONGEST_VALUE]))
    return values


def read_look(pairs: Said, address: str) -> ServerLook:
    """What it said of the server.

    Raises:
        UnreachableError: it did not run to its end.
        ToolkitError: no Python that the agent can run on.
        UsageError: not Linux.
    """
    values = dict(pairs)
    if values.get("end") != "ok":
        raise UnreachableError(
            f"{address} did not run a shell script to its end.",
            "Try it by hand: `echo 'echo works' | ssh … sh -s` must print `works`.",
        )
    if values.get("system") != "Linux":
        raise UsageError(
            f"{address} runs {values.get('system', 'an unknown system')}; py-spy is brought to Linux only."
        )
    passed_over = [value for key, value in pairs if key == "passed_over"]
    if not values.get("python", "").startswith("/"):
        seen = f" Passed over: {'; '.join(passed_over)}." if passed_over else ""
        raise ToolkitError(
            f"{address} has no 64-bit Python 3.7 or newer on the path of a non-interactive login.{seen}",
            "Name one with `python: /path/to/python3` in the server's entry of the plan.",
        )
    if values.get("free_threaded") == "1" and not values.get("psutil"):
        raise ToolkitError(
            f"{values['python']} on {address} is a free-threaded build without psutil; none can be brought for it.",
            "Name another Python with `python:` in the server's entry of the plan, or install psutil there.",
        )
    prepared_python, remark = _prepared(pairs)
    return ServerLook(
        python=values["python"],
        python_version=values.get("python_version", ""),
        magic=values.get("magic", ""),
        machine=values.get("machine", ""),
        libc=values.get("libc", ""),
        psutil=values.get("psutil", ""),
        sudo=values.get("sudo", ""),
        uid=int(values["uid"]) if values.get("uid", "").isdigit() else -1,
        prepared_python=prepared_python,
        remarks=(*passed_over, *([remark] if remark else [])),
    )


def _prepared(pairs: Said) -> tuple[str, str]:
    """The Python of a usable prepared copy, else empty and why it is not used."""
    values = dict(pairs)
    if "kit_protocol" not in values:
        return "", ""
    if values["kit_protocol"] != str(PROTOCOL):
        spoken = values["kit_protocol"]
        return (
            "",
            f"{PREPARED} speaks protocol {spoken}, not {PROTOCOL}: not used; run prepare-server.sh anew",
        )
    owners = [value.split() for key, value in pairs if key == "kit_owner"]
    # "drwxr-xr-x 0": the sixth and ninth characters are the write bits of group and others.
    safe = all(len(o) == 2 and o[1] == "0" and len(o[0]) >= 10 and o[0][5] == o[0][8] == "-" for o in owners)
    if not owners or not safe:
        return (
            "",
            f"{PREPARED} can be written by others than root: not used; run prepare-server.sh anew",
        )
    python = values.get("kit_python", "")
    return (
        (python, "")
        if python.startswith("/")
        else ("", f"{PREPARED}/version names no Python: it is not used")
    )


def made_folder(said: Said) -> str:
    """The folder that it made; empty where it made none. Whatever else it said, that is ours to remove."""
    folder = dict(said).get("folder", "")
    return folder if FOLDER_PATTERN.fullmatch(folder) else ""


def read_folder(said: Said, address: str) -> str:
    """The folder that it made.

    Raises:
        NotPermittedError: no place that may be written.
        ToolkitError: no place with room that runs programs.
    """
    if made := made_folder(said):
        return made
    reasons = [value.split(" ", 1) for key, value in said if key == "refused" and " " in value]
    words = {"no-write": "cannot be written", "no-space": f"has less than {NEEDED_KB // 1024} MB free"}
    told = "; ".join(f"{place} {words.get(code, 'runs no programs (noexec)')}" for code, place in reasons)
    kind = NotPermittedError if {code for code, _ in reasons} == {"no-write"} else ToolkitError
    raise kind(
        f"{address} has no folder for the agent: {told or 'no temporary folder was found'}.",
        "Set TMPDIR for that login to a folder that has room and runs programs, or prepare the server "
        "(profile/prepare-server.sh).",
    )
