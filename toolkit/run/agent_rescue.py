"""What an agent that was lost has left on its server: whole chunks that never arrived. Fetched before its folder goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.errors import ToolkitError
from toolkit.run.agent_files import RefusedError
from toolkit.run.agent_trust import chunk_row, read_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from toolkit.run.agent_files import AgentFiles
    from toolkit.run.agent_sudo import Elevation
    from toolkit.transports.base import Transport

_MOST_CHUNKS = 500


def rescue(
    transport: Transport,
    folder: str,
    elevation: Elevation,
    files: AgentFiles,
    hear_row: Callable[[dict[str, Any]], None],
) -> int:
    """Fetch what lies in `folder`/recordings; see `Store.leave_behind` in profile/agent/store.py.

    Args:
        transport: a connection that still works.
        folder: the agent's own folder, of a name that is ours.
        elevation: how the agent was started, for files of root's.
        files: where they are written, by the same rules as those that arrive by themselves.
        hear_row: takes the row of each chunk.

    Returns:
        How many chunks were saved.
    """
    saved = 0
    listing = _read(transport, f"{folder}/recordings/chunks.jsonl", elevation)
    for message in _rows(listing):
        row = chunk_row(message)
        if row is None or files.has(row["view"], row["seq"]):
            continue
        name = f"{row['view']}-{row['seq']:06d}.raw.gz"
        data = _read(transport, f"{folder}/recordings/{name}", elevation)
        try:
            if data and len(data) == row["bytes"]:
                files.whole(row["view"], row["seq"], data)
                saved += 1
            hear_row(message)
        except RefusedError:
            continue  # its row had come, its file had not
    return saved


def _rows(listing: bytes) -> Iterator[dict[str, Any]]:
    for line in listing.splitlines()[:_MOST_CHUNKS]:
        message = read_message(line)
        if message is not None and message["type"] == "chunk":
            yield message


def _read(transport: Transport, path: str, elevation: Elevation) -> bytes:
    """The file's content; empty where it cannot be read."""
    try:
        done = transport.run(elevation.command(["cat", "--", path]), stdin=elevation.first_input())
    except ToolkitError:
        return b""
    return done.stdout if done.exit_code == 0 else b""
