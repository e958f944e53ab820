"""What an agent does about other agents on its machine: tell who is there and what was left, end one, hand over, clear away."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING, Any, Dict, Optional

import choose
import leftovers
import presence
import procfs
from faults import Fault
from store import Store

if TYPE_CHECKING:
    from wire import Writer
    from workdir import WorkDirectory

# After SIGTERM: it stops its recorders (recording.STOP_WITHIN_S) and sends for a moment (observation.FLUSH_S).
END_WITHIN_S = 16.0
KILLED_WITHIN_S = 2.0
PAUSE_S = 0.05


class Neighbours:
    """Answers `others`, `end` and `adopt`.

    Args:
        work: this agent's directory.
        writer: where messages go.
    """

    def __init__(self, work: WorkDirectory, writer: Writer) -> None:
        self._work, self._writer = work, writer
        self._folder = ""
        self.store: Optional[Store] = None

    def tell(self, _message: Dict[str, Any]) -> None:
        """Say `others`: the agents that run, and the folders that were left."""
        agents = [
            {
                "pid": met.pid,
                "user": choose.user_name(met.uid),
                "run": str(met.about.get("run") or "")[:200],
                "who": str(met.about.get("who") or "")[:200],
                "since_ns": leftovers.integer(met.about.get("since_ns")),
                "silent_s": met.about.get("silent_s"),
            }
            for met in presence.others()
        ]
        left = leftovers.found(self._work.path)
        self._writer.say({"type": "others", "agents": agents, "left": left})

    def end(self, message: Dict[str, Any]) -> None:
        """End another agent and say `ended` when it is gone; what it recorded and could not send stays in its folder.

        Raises:
            Fault: `gone`: there is no such agent. `not-permitted`: it is another user's. `internal`: it does not end.
        """
        pid = message.get("pid")
        met = next((one for one in presence.others() if one.pid == pid), None)
        if met is None:
            raise Fault(
                "gone", "There is no agent with the PID %s." % str(pid)[:20], "It may have ended already."
            )
        if os.geteuid() not in (0, met.uid):
            told = "The agent %d belongs to user %s." % (met.pid, choose.user_name(met.uid))
            raise Fault("not-permitted", told, "Log in as that user, or use sudo.")
        known = procfs.stat(met.pid)
        if known is not None:
            _end(met.pid, known.start_ticks)
        self._writer.say({"type": "ended", "pid": met.pid})

    def adopt(self, message: Dict[str, Any]) -> None:
        """Send what lies in a folder that was left, and say `adopted` once all of it is acknowledged and the folder is gone.

        Raises:
            Fault: `protocol`.
        """
        if self.store is not None:
            raise Fault("protocol", "One folder is being handed over already.")
        self._folder = str(message.get("folder") or "")
        recordings = os.path.join(self._folder, "recordings")
        store = Store(recordings, leftovers.NO_LIMIT, self._writer.say, self._writer.has_room)
        leftovers.hand_over(self._folder, self._work.path, store)
        self.store = store

    def tick(self) -> None:
        """Send on; what nobody acknowledges stays where it is."""
        if self.store is None:
            return
        self.store.pump()
        if self.store.unacknowledged == 0:
            leftovers.remove(self._folder)
            self.store = None
            self._writer.say({"type": "adopted", "folder": self._folder})


def _end(pid: int, start_ticks: int) -> None:
    signals = ((signal.SIGTERM, END_WITHIN_S), (signal.SIGKILL, KILLED_WITHIN_S))
    for number, within_s in signals:
        if _gone(pid, start_ticks, 0.0):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        if _gone(pid, start_ticks, within_s):
            return
    raise Fault("internal", "The agent %d does not end." % pid, "Look at that process on the server.")


def _gone(pid: int, start_ticks: int, within_s: float) -> bool:
    until = time.monotonic() + within_s
    while procfs.alive(pid, start_ticks):
        if time.monotonic() >= until:
            return False
        time.sleep(PAUSE_S)
    return True
