"""Sees that nothing of an agent is left on its server; what it could not hand over is fetched before that."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError, UnreachableError
from toolkit.probes.delivery_look import FOLDER_PATTERN
from toolkit.run.agent_push import remove_folder
from toolkit.run.agent_rescue import rescue

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.run.agent_push import Placed
    from toolkit.run.agent_record import AgentRecord, OnEvent
    from toolkit.run.agent_sudo import Elevation
    from toolkit.transports.base import Transport

LEAVE_S = 5.0
"""An agent's, once its grace is over."""
_LOOK_AGAIN_S = 0.3


@dataclass(frozen=True)
class WayBack:
    """To a server whose connection broke for longer than the grace."""

    redial: Callable[[], None]
    grace_s: float


@dataclass(frozen=True)
class Cleaning:
    """One server's. `folders` are those that the agent worked in; empty ones, and names that are not ours, are passed over."""

    transport: Transport
    elevation: Elevation
    record: AgentRecord
    log: Callable[[str], None]
    on_event: OnEvent
    folders: tuple[str, ...]
    placed: Placed
    lost: bool

    def clean(self, way_back: WayBack | None) -> None:
        """Look, and remove what is left.

        Args:
            way_back: to go first, where the connection is dead.

        Raises:
            ToolkitError: something could not be removed; says what and how to do it.
        """
        if way_back is not None and not self._come_back(way_back):
            return
        for folder in filter(FOLDER_PATTERN.fullmatch, dict.fromkeys(self.folders)):
            try:
                left = self.transport.exists(folder)
                if left:
                    self._take_away(folder)
            except UnreachableError as error:
                self.on_event("unclear", {"folder": folder, "message": error.message})
                self.log(f"could not look whether {folder} is gone: {error}")
                return  # a connection that hangs would make each further look wait
            self.on_event("cleaned", {"folder": folder, "left_by_agent": left})

    def _come_back(self, way: WayBack) -> bool:
        """Whether the server can be reached again; then its agent has ended."""
        try:
            way.redial()
            until = time.monotonic() + way.grace_s + LEAVE_S
            # It takes its program with it. Until then its folder is not ours to touch.
            while self.placed.folder and self.transport.exists(self.placed.program):
                if time.monotonic() > until:
                    break
                time.sleep(_LOOK_AGAIN_S)
        except ToolkitError as error:
            self.on_event("unclear", {"folder": self.placed.folder, "message": error.message})
            self.log(f"could not come back to look: {error}")
            return False
        return True

    def _take_away(self, folder: str) -> None:
        if self.lost:
            saved = rescue(self.transport, folder, self.elevation, self.record.files, self.record.hear_chunk)
            self.log(f"saved {saved} chunks out of {folder}")
        remove_folder(self.transport, folder, self.elevation)
