"""What is done with the gunicorn that was found: it is recorded, watched, or both, over one census of its processes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Callable, List, Optional

import watch
from census import Census
from faults import Fault
from recording import Recording, Wanted
from watching import Watching

if TYPE_CHECKING:
    import trees
    from asked import Watch
    from store import Store
    from wire import Writer
    from workdir import WorkDirectory

FLUSH_S = 2.0  # for what is left to send when the end has come


class Observation:
    """Recording and watching; either may begin first, each once, and neither ends with the other.

    Args:
        work: the agent's directory.
        store: takes finished chunks.
        writer: where messages go.
    """

    def __init__(self, work: WorkDirectory, store: Store, writer: Writer) -> None:
        self._work, self._store, self._writer = work, store, writer
        self._census: Optional[Census] = None
        self._recording: Optional[Recording] = None
        self._watching: Optional[Watching] = None
        self._to_say_stopped = False

    @property
    def begun(self) -> bool:
        """Whether there is, or was, anything of it."""
        return self._recording is not None or self._watching is not None

    @property
    def tree(self) -> Optional[trees.Tree]:
        """The gunicorn as it was last seen; None before anything has begun."""
        return self._census.tree if self._census is not None else None

    @property
    def records(self) -> bool:
        """Whether a recording is under way."""
        return self._recording is not None and not self._recording.stopped

    @property
    def watches(self) -> bool:
        """Whether watching is under way."""
        return self._watching is not None and not self._watching.stopped

    def record(self, tree: trees.Tree, wanted: Wanted) -> None:
        """Begin to record.

        Raises:
            Fault: there was a recording already, or `no-space`.
        """
        self.may_record()
        census = self._census or Census(tree, self._writer.say)
        recording = Recording(self._work, census, wanted, self._store, self._writer.say)
        recording.begin()
        self._census, self._recording = census, recording

    def may_record(self) -> None:
        """See that there was no recording yet.

        Raises:
            Fault: there was.
        """
        if self._recording is not None:
            raise Fault("protocol", "There was a recording already: an agent records once.")

    def watch(self, tree: trees.Tree, wanted: Watch) -> None:
        """Begin to watch, and answer.

        Raises:
            Fault: there was watching already, or the arbiter is `gone`.
        """
        if self._watching is not None:
            raise Fault("protocol", "There was a watch already: an agent watches once.")
        if self._census is None:
            now = watch.watched(tree.arbiter)
            if now is None:
                raise Fault("gone", "The arbiter %d has ended." % tree.arbiter.pid, "Find gunicorn again.")
            self._census = Census(now, self._writer.say)
        else:
            self._census.look()
        self._watching = Watching(wanted, self._census, self._writer)
        self._watching.begin()

    def stop(self) -> None:
        """End both; `stopped` is said once everything is sent.

        Raises:
            Fault: there is nothing to stop.
        """
        if not self.begun:
            raise Fault("protocol", "There is no recording to stop, and no watching.")
        if self._recording is not None:
            self._recording.stop()
        if self._watching is not None:
            self._watching.stop()
        self._to_say_stopped = True

    def stop_recording(self) -> None:
        """End the recording alone; `stop` is still to come, and says when its last chunks are sent.

        Raises:
            Fault: there is nothing to stop.
        """
        if self._recording is None:
            raise Fault("protocol", "There is no recording to stop.")
        self._recording.stop()

    def fail(self) -> None:
        """End the recording after a fault. Who watches on is told `stopped` when all is over, after `stop`."""
        if self._recording is not None:
            self._recording.stop()
            self._to_say_stopped = self._to_say_stopped or not self.watches

    # -- what is due

    @property
    def descriptors(self) -> List[int]:
        """To be waited for, beside the time."""
        return [self._census.descriptor] if self._census is not None and self._active() else []

    @property
    def wait_s(self) -> float:
        """How long the caller may sleep before it does the next duties."""
        until = [1.0]
        if self._recording is not None and self.records:
            until.append(self._recording.wait_s)
        if self._watching is not None and self.watches:
            until.append(self._watching.wait_s)
        if self._census is not None and self._active():
            until.append(self._census.wait_s)
        if self._store.unsent:
            until.append(0.005 if self._writer.has_room() else 0.1)
        return min(until)

    @property
    def duties(self) -> List[Callable[[], object]]:
        """What is to be done in every turn; each may raise without keeping the others from being done."""
        due: List[Callable[[], object]] = []
        if self._census is not None and self._active():
            due.append(self._census.tick)
        if self._recording is not None and self.records:
            due.append(self._recording.tick)
        if self._watching is not None and self.watches:
            due.append(self._watching.tick)
        return [*due, self._store.pump, self._say_stopped]

    def _active(self) -> bool:
        return self.records or self.watches

    def _say_stopped(self) -> None:
        if self._to_say_stopped and not self._active() and not self._store.unsent:
            self._to_say_stopped = False
            self._writer.say({"type": "stopped"})

    # -- the end

    def end(self, guarded: Callable[[Callable[[], object]], object], send: bool) -> None:
        """Stop what runs; with `send`, what can be sent in a moment is."""
        if self._watching is not None:
            self._watching.close()
        if self._recording is not None:
            self._recording.stop()
            while not self._recording.stopped:  # bounded by recording.STOP_WITHIN_S
                guarded(self._recording.tick)
                time.sleep(0.01)
            deadline = time.monotonic() + FLUSH_S
            while send and not self._writer.broken and time.monotonic() < deadline:
                if not guarded(self._store.pump):
                    break
                time.sleep(0.01)
        if self._census is not None:
            self._census.close()
