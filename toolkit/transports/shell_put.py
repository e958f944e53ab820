"""Writes a new file by a shell, for servers without SFTP."""

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
