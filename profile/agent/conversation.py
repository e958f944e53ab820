"""The agent's life: answers the controller line by line, records, and outlives nobody."""

from __future__ import annotations

import functools
import os
import select
import signal
import time
from typing import TYPE_CHECKING, Any, Callable, Optional

import asked
import check
import choose
import clock
import facts
import leftovers
import trees
import watch
from faults import Fault, is_full, no_space
from line import Line
from neighbours import Neighbours
from observation import FLUSH_S, Observation
from presence import Presence
from recording import Wanted
from rejoining import hand_over
from scope import Scope
from store import Store
from workdir import WorkDirectory

if TYPE_CHECKING:
    from wire import Writer

PROTOCOL = 1
GRACE_BEFORE_HELLO_S = 60.0
DISK_RING_BYTES = 200 * 1000 * 1000
MOST_SAID = 200  # letters of a run's or an operator's name


class Conversation:
    """Speaks profile/agent/PROTOCOL.md over two descriptors.

    Args:
        source: where the controller's lines come from.
        target: where ours go.
        writer: by which they go there.
        wakeup: becomes readable when a signal has arrived.
        program: the path of agent.pyz.
    """

    def __init__(self, source: int, target: int, writer: Writer, wakeup: int, program: str) -> None:
        self._streams = [source, target, 2]
        self._line = Line(source, writer)
        self._writer = writer
        self._wakeup = wakeup
        self._program = program
        self._code = 1
        self._work: Optional[WorkDirectory] = None
        self._store: Optional[Store] = None
        self._tree: Optional[trees.Tree] = None
        self._checked: Optional[check.Checked] = None
        self._observation: Optional[Observation] = None
        self._presence: Optional[Presence] = None
        self._neighbours: Optional[Neighbours] = None
        self._scope: Optional[Scope] = None
        self._who: dict[str, Any] = {}
        self._claimed: Optional[trees.Process] = None
        self._grace_s = GRACE_BEFORE_HELLO_S
        self._ends_at: Optional[float] = None
        self._last_sign = time.monotonic()
        self._clock = clock.Watch()
        self._reason: Optional[str] = None
        self._answers = {
            "hello": self._hello,
            "reattach": self._reattach,
            "ping": self._ping,
            "find": self._find,
            "check": self._check,
            "record": self._record,
            "watch": self._watch,
            "stop": self._stop,
            "ack": self._ack,
            "others": self._beside,
            "end": self._beside,
            "adopt": self._beside,
            "bye": self._bye,
        }

    def run(self) -> int:
        """Converse until the end; the exit code: 0 after `bye`, else 1."""
        try:
            while self._reason is None:
                self._turn()
        finally:
            self._end()
        return self._code

    # -- one turn of the loop

    def _turn(self) -> None:
        ready = self._wait(self._wait_s())
        if self._wakeup in ready:
            number = os.read(self._wakeup, 64)[0]
            self._reason = "signal %d" % number
            return
        if self._line.rejoined():
            self._last_sign = time.monotonic()
        elif self._line.readable(ready):
            self._listen()
        elif self._line.given_up:
            self._reason = "the connection was closed"
        elif time.monotonic() - self._last_sign > self._grace_s:
            self._reason = "the controller has been silent for %.0f s" % self._grace_s
        self._check_age()
        self._look_at_the_clock()
        self._work_on()

    def _wait(self, timeout_s: float) -> list[int]:
        others = list(self._observation.descriptors) if self._observation is not None else []
        if self._presence is not None:
            others += self._presence.descriptors
        return select.select([*self._line.descriptors, self._wakeup, *others], [], [], timeout_s)[0]

    def _wait_s(self) -> float:
        until = self._last_sign + self._grace_s - time.monotonic() + 0.01
        until = min(until, self._line.wait_s)
        if self._observation is not None:
            until = min(until, self._observation.wait_s)
        if self._neighbours is not None and self._neighbours.store is not None:
            until = min(until, 0.02)
        return max(0.0, min(until, 1.0))

    def _listen(self) -> None:
        items = self._line.read()
        if items is None:
            if not self._line.wait():
                self._reason = "the connection was closed"
            return
        self._last_sign = time.monotonic()
        for item in items:
            if self._reason is None:
                self._guarded(functools.partial(self._handle, item))

    def _look_at_the_clock(self) -> None:
        moved_s = self._clock.moved_s() if self._work is not None else None
        if moved_s is not None:
            self._writer.say({"type": "clock", "by_s": moved_s})

    def _check_age(self) -> None:
        if self._ends_at is not None and time.monotonic() > self._ends_at and self._reason is None:
            fault = Fault("time-limit", "The agent's time is up.", "Give it a larger max_s.", fatal=True)
            self._writer.say(fault.as_message())
            self._reason = "time limit"

    def _work_on(self) -> None:
        said = self._scope.tick() if self._scope is not None else None
        if said is not None:
            self._writer.say({"type": "log", "message": said})
        if self._presence is not None:
            self._presence.answer()
        if self._neighbours is not None:
            self._guarded(self._neighbours.tick)
        if self._observation is not None:
            self._claim_successor()
            for duty in self._observation.duties:
                self._guarded(duty)

    def _guarded(self, action: Callable[[], object]) -> object:
        """Run `action`; what goes wrong is told, and a fatal fault ends the recording."""
        try:
            return action()
        except Fault as fault:
            self._tell(fault)
        except Exception as error:
            self._tell(self._stumbled(error))
        return None

    def _stumbled(self, error: Exception) -> Fault:
        recording = self._observation is not None and self._observation.records
        if isinstance(error, OSError) and is_full(error):
            return no_space(error.filename or (self._work.path if self._work else "/"), fatal=recording)
        told = "The agent stumbled: %s: %s" % (type(error).__name__, str(error)[:200])
        return Fault("internal", told, "Please report this.", fatal=recording)

    def _tell(self, fault: Fault) -> None:
        self._writer.say(fault.as_message())
        if fault.fatal and self._observation is not None:
            self._observation.fail()

    # -- what the controller asks for

    def _handle(self, item: object) -> None:
        if isinstance(item, Fault):
            raise item
        assert isinstance(item, dict)  # noqa: S101 (Lines gives nothing else)
        answer = self._answers.get(item["op"])
        if answer is None:
            raise Fault("protocol", "There is no op of that name.")
        if self._work is None and item["op"] not in ("hello", "reattach", "ping", "bye"):
            raise Fault("protocol", "The first line must be hello.")
        answer(item)

    def _hello(self, message: dict[str, Any]) -> None:
        if self._work is not None:
            raise Fault("protocol", "There was a hello already.")
        if message.get("protocol") != PROTOCOL:
            raise Fault(
                "protocol", "This agent speaks protocol %d." % PROTOCOL, "Push the agent of this toolkit."
            )
        grace_s = asked.number(message, "grace_s", 15.0, 0.2, 3600.0)
        max_s = asked.number(message, "max_s", 24 * 3600.0, 1.0, 30 * 86400.0)
        door = asked.reattach(message)
        work = WorkDirectory(self._program)
        self._work = work
        self._grace_s, self._ends_at = grace_s, time.monotonic() + max_s
        self._who = {
            "run": str(message.get("run") or "agent %d" % os.getpid())[:MOST_SAID],
            "who": str(message.get("who") or "")[:MOST_SAID],
            "since_ns": clock.now_ns(),
        }
        say, has_room = self._writer.say, self._writer.has_room
        self._store = Store(work.recordings, DISK_RING_BYTES, say, has_room, self._who)
        self._observation = Observation(work, self._store, self._writer)
        self._presence = Presence(self._about, work.path)
        self._neighbours = Neighbours(work, self._writer)
        self._scope = Scope(max_s, self._who["run"])
        answer = {
            "type": "hello",
            "protocol": PROTOCOL,
            "pid": os.getpid(),
            "python": "%d.%d.%d" % facts.own_python(),
            "reattach": door is not None and self._line.open_door(*door),
        }
        self._writer.say(dict(answer, directory=work.path, facts=facts.host(work.path)))
        for folder in leftovers.sweep(work.path):
            self._writer.say(
                {"type": "log", "message": "%s had lain here for a day; it was removed." % folder}
            )

    def _reattach(self, message: dict[str, Any]) -> None:
        if self._work is not None:
            raise Fault("protocol", "There was a hello already.")
        self._code = hand_over(message, self._streams, self._wakeup)
        self._reason = "handed over"

    def _about(self) -> dict[str, Any]:
        return dict(self._who, silent_s=round(time.monotonic() - self._last_sign, 1))

    def _claim_successor(self) -> None:
        """After an upgrade it is another arbiter that no other run may take."""
        latest = self._observation.tree if self._observation is not None else None
        if self._presence is not None and latest is not None and latest.arbiter != self._claimed:
            self._claimed = latest.arbiter
            try:
                self._presence.claim(latest.arbiter)
            except Fault as fault:  # no answer to anything that was asked
                self._writer.say({"type": "log", "message": fault.message})

    def _ping(self, message: dict[str, Any]) -> None:
        heard = message.get("heard")
        if isinstance(heard, int):
            self._writer.forget(heard)
        pong = {"type": "pong", "t0": message.get("t0"), "t": clock.now_ns(), "heard": self._line.heard}
        self._writer.say(pong, important=False, lasting=False)

    def _find(self, message: dict[str, Any]) -> None:
        assert self._observation is not None  # noqa: S101 (made by hello)
        assert self._presence is not None  # noqa: S101 (made by hello)
        if self._observation.begun:
            raise Fault("protocol", "A recording or a watch has been started: find comes before.")
        choice = message.get("choice") or {}
        if not isinstance(choice, dict):
            raise Fault("protocol", "A choice is an object.")
        all_trees, orphans = trees.all_trees()
        self._tree, self._checked = None, None
        tree, note = choose.chosen(all_trees, orphans, choice)
        self._presence.release()
        self._presence.claim(tree.arbiter)
        self._tree, self._claimed = tree, tree.arbiter
        self._writer.say(
            {
                "type": "found",
                "arbiter": choose.described(tree),
                "workers": [watch.as_worker(worker) for worker in tree.workers],
                "all": [choose.described(other) for other in all_trees],
                "note": note,
                "gunicorn": check.gunicorn(tree, None, []),
            }
        )

    def _check(self, message: dict[str, Any]) -> None:
        del message
        self._writer.say(self._verdict().as_message())

    def _verdict(self) -> check.Checked:
        if self._tree is None or self._work is None:
            raise Fault("protocol", "There is nothing to check: find comes first.")
        latest = (self._observation.tree if self._observation is not None else None) or self._tree
        fresh = watch.watched(latest.arbiter)
        if fresh is None:
            raise Fault("gone", "The arbiter %d has ended." % latest.arbiter.pid, "Find gunicorn again.")
        self._tree = fresh
        self._checked = check.check(self._work.executable, fresh)
        return self._checked

    def _record(self, message: dict[str, Any]) -> None:
        assert self._observation is not None  # noqa: S101 (made by hello)
        self._observation.may_record()
        views, wanted = asked.record(message)
        checked = self._checked or self._verdict()
        assert self._tree is not None  # noqa: S101 (the verdict needs it)
        verdicts = {view: checked.views[view] for view in views}
        self._observation.record(self._tree, Wanted(verdicts, *wanted))

    def _watch(self, message: dict[str, Any]) -> None:
        wanted = asked.watch(message)
        if self._tree is None or self._observation is None:
            raise Fault("protocol", "There is nothing to watch: find comes first.")
        self._observation.watch(self._tree, wanted)

    def _stop(self, message: dict[str, Any]) -> None:
        assert self._observation is not None  # noqa: S101 (made by hello)
        if message.get("only") == "recording":
            self._observation.stop_recording()
        else:
            self._observation.stop()

    def _ack(self, message: dict[str, Any]) -> None:
        assert self._neighbours is not None  # noqa: S101 (made by hello)
        store = self._neighbours.store or self._store
        assert store is not None  # noqa: S101 (made by hello)
        if not store.acknowledge(str(message.get("name", ""))):
            raise Fault("protocol", "There is no such file to acknowledge.")

    def _beside(self, message: dict[str, Any]) -> None:
        assert self._neighbours is not None  # noqa: S101 (made by hello)
        beside = self._neighbours
        {"others": beside.tell, "end": beside.end, "adopt": beside.adopt}[message["op"]](message)

    def _bye(self, message: dict[str, Any]) -> None:
        del message
        self._reason = "bye"

    # -- the end

    def _end(self) -> None:
        """Stop what runs, keep what was recorded and not fetched, leave nothing else."""
        if self._observation is not None:
            signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
            self._observation.end(self._guarded, send=self._reason != "bye")
        keep = self._reason != "bye" and self._store is not None and self._left_behind()
        if self._store is not None and not keep:
            self._store.discard()
        if self._work is not None:
            self._work.remove(bool(keep))
        if self._presence is not None:
            self._presence.close()
        if self._reason == "bye":
            self._code = 0
            self._writer.say({"type": "bye"})
        self._writer.close(FLUSH_S)
        self._line.close(self._code)

    def _left_behind(self) -> bool:
        assert self._store is not None  # noqa: S101 (asked by the caller)
        try:
            return self._store.leave_behind() > 0
        except OSError:
            return True
