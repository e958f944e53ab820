"""Writes a new file by a shell and looks whether there is one, for servers without SFTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from toolkit.transports.base import Completed

# `set -C` refuses a file that exists, and creates without following a link; what it lets pass (a link to a device)
# is looked for before. The mask keeps the file closed until it has its mode.
_SCRIPT = """
umask 077; set -C
if [ -e "$1" ] || [ -L "$1" ]; then echo "File exists" >&2; exit 73; fi
exec 3> "$1" || exit 73
cat >&3 && chmod "$2" "$1" || { rm -f "$1"; exit 74; }
"""
# Both answers are words: a shell that fails for its own reasons must not pass for either.
_EXISTS = """
if [ -e "$1" ] || [ -L "$1" ]; then echo "$2 yes"; else echo "$2 no"; fi
"""
_ANSWER = "toolkit-exists"


def put_argv(path: str, mode: int) -> list[str]:
    """The command that writes its standard input to the new file `path`."""
    return ["sh", "-c", _SCRIPT, "sh", path if path.startswith("/") else f"./{path}", f"{mode:o}"]


def check_put(done: Completed, path: str, address: str) -> None:
    """Look at how the command ended.

    Raises:
        ToolkitError: the file was not written; says what the shell said.
    """
    if done.exit_code != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        reason = said[-1] if said else f"exit code {done.exit_code}"
        raise ToolkitError(f"{path} on {address} could not be written: {reason}.")


def exists_argv(path: str) -> list[str]:
    """The command that says whether there is anything named `path`."""
    return ["sh", "-c", _EXISTS, "sh", path, _ANSWER]


def read_exists(done: Completed, path: str, address: str) -> bool:
    """What it said.

    Raises:
        ToolkitError: neither yes nor no.
    """
    # A login shell's profile may have printed before it, and without a newline.
    _, _, said = done.stdout.decode(errors="replace").rpartition(_ANSWER)
    if said.strip() not in {"yes", "no"}:
        raise ToolkitError(
            f"Whether {path} is on {address} could not be found out: the shell there did not say."
        )
    return said.strip() == "yes"
