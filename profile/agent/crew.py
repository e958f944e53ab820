"""The recorders of one chunk of one view: one py-spy for each process, or one for the whole tree where there are many.

py-spy's own `--subprocesses` reads all of /proc ten times a second: on a machine with 90 processes that costs a recorder
1.8 % of a core at any rate, with 300 processes 6 %. A recorder for each process costs 8 ms a chunk instead and its cost does
not depend on what else runs there (docs/decisions/005). Many processes turn that round: then one recorder looks after all.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import BinaryIO, Callable, List, NamedTuple, Optional, Tuple

import clock
import procfs
import pyspy
from faults import is_full
from recorder import Recorder

# Recorders that read symbols at the same time, before anything is being served for us: speed counts.
AT_ONCE = 4
# Later one by one with a pause between: five at once cost a service at half load a third of its p99.
PAUSE_SHARE, MOST_PAUSE_S = 0.1, 0.1
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_PROCESS, _THREAD = b"process ", b"thread ("


class Target(NamedTuple):
    """A process to record; with everything below it where `whole_tree`."""

    pid: int
    whole_tree: bool
    arbiter: int  # whose it is; itself for an arbiter, also for the new one of an upgrade
    heads: Tuple[int, ...] = ()  # new arbiters within the whole tree


class Order(NamedTuple):
    """How one chunk is recorded."""

    executable: str
    folder: str
    name: str  # of its files, without an ending
    view: str
    rate_hz: int
    chunk_s: float
    gentle: bool  # there is a chunk to be relieved, and a service under load


class Crew:
    """Records one chunk. `poll` does what is due and never waits; `add` takes in a worker that was born meanwhile.

    Args:
        order: how.
        targets: whom.
        relieve: called with a PID as soon as its new recorder samples: the last chunk's may end.

    Raises:
        OSError: py-spy could not be started at all.
    """

    def __init__(self, order: Order, targets: List[Target], relieve: Callable[[int], None]) -> None:
        self.output = os.path.join(order.folder, order.name + ".raw")
        self.sampling_ns: Optional[int] = None
        self.stopped_ns: Optional[int] = None
        self.ended_ns: Optional[int] = None
        self.exit_code: Optional[int] = None
        self.full = False  # its samples found no space on the disk
        self._unwritten = ""
        self.started_at = time.monotonic()
        self._order = order
        self._relieve = relieve
        self._waiting = list(targets)
        self._targets = {target.pid: target for target in targets}
        self._recorders: dict[int, Recorder] = {}
        self._broken: list[Recorder] = []  # ended with a fault, and replaced
        self._relieved: List[int] = []
        self._pause_s = min(MOST_PAUSE_S, PAUSE_SHARE * order.chunk_s / len(targets)) if order.gentle else 0.0
        self._next_start = 0.0
        self._start(self._waiting.pop(0))

    @property
    def ready(self) -> bool:
        """Whether everyone who still lives is being sampled."""
        return self.sampling_ns is not None and not self._waiting and not self._starting()

    @property
    def log(self) -> pyspy.Log:
        """What all of them said, as one."""
        logs = [pyspy.parse_log(recorder.log) for recorder in self._counted()]
        samples = [log.samples for log in logs if log.samples is not None]
        errors = [log.errors for log in logs if log.errors is not None]
        return pyspy.Log(
            any(log.sampling for log in logs),
            sum(samples) if samples else None,
            sum(errors) if errors else None,
            max([log.late_s for log in logs], default=0.0),
            next((log.complaint for log in logs if log.complaint), ""),
        )

    @property
    def cpu_s(self) -> float:
        """CPU seconds of all that have ended."""
        return sum(recorder.cpu_s for recorder in self._everyone())

    @property
    def start_cpu_s(self) -> float:
        """Of these, what was used before they sampled."""
        return sum(recorder.start_cpu_s for recorder in self._everyone())

    @property
    def note(self) -> str:
        """What was lost within the chunk; empty where nothing was."""
        told = [self._loss(one) for one in self._broken]
        # One that was told to end before it sampled (SIGINT finds no handler yet) had nothing to lose.
        failed = [
            one for one in self._counted() if one.exit_code and not (one.stopped_ns and not one.sampling_ns)
        ]
        told += [self._loss(one) for one in failed if self.exit_code == 0]
        return "; ".join([*told, self._unwritten] if self._unwritten else told)

    @property
    def forced(self) -> bool:
        """Whether SIGINT was not enough for one of them."""
        return any(recorder.forced for recorder in self._recorders.values())

    def add(self, target: Target) -> None:
        """Record one more process, where it is not recorded yet; of one that is, what is known now counts."""
        covered = self._covers_all()
        if target.pid in self._targets or not covered:
            self._targets[target.pid] = target
        if self.stopped_ns is None and target.pid not in self._recorders and not covered:
            self._waiting.append(target._replace(whole_tree=False))

    def poll(self) -> None:
        """Look at everyone, start who is next, and see when all is over."""
        if self.exit_code is not None:
            return
        for pid, recorder in list(self._recorders.items()):
            recorder.poll()
            if self._broke(pid, recorder):
                self._replace(pid, recorder)
            elif recorder.sampling_ns is not None and pid not in self._relieved:
                self._relieved.append(pid)
                self.sampling_ns = self.sampling_ns or recorder.sampling_ns
                self._relieve(pid)
        while self._waiting and self.stopped_ns is None and self._may_start():
            target = self._waiting.pop(0)
            if target.pid not in self._recorders and procfs.stat(target.pid) is not None:
                self._start(target)
        if all(recorder.exit_code is not None for recorder in self._recorders.values()):
            self._over()

    def relieve(self, pid: int) -> None:
        """The next chunk records this process: stop here."""
        recorder = self._recorders.get(pid)
        if recorder is not None:
            self.stopped_ns = self.stopped_ns or clock.now_ns()
            recorder.stop()

    def stop(self, awaited: bool = False) -> None:
        """Everyone writes what they have and ends; at once where that is awaited, else when they have slept their time."""
        self.stopped_ns = self.stopped_ns or clock.now_ns()
        self._waiting = []
        for recorder in self._recorders.values():
            recorder.stop()
            if awaited:
                recorder.hurry()

    def signal(self, number: int) -> None:
        """Send a signal to all."""
        for recorder in self._recorders.values():
            recorder.signal(number)

    def clean(self) -> None:
        """Remove what they wrote."""
        for recorder in self._everyone():
            recorder.clean()
        with contextlib.suppress(OSError):
            os.unlink(self.output)

    def _may_start(self) -> bool:
        if not self._order.gentle:
            return len(self._starting()) < AT_ONCE
        return not self._starting() and time.monotonic() >= self._next_start

    def _start(self, target: Target) -> None:
        self._next_start = time.monotonic() + self._pause_s
        order = self._order
        base = os.path.join(order.folder, "%s-%d-%d" % (order.name, target.pid, len(self._broken)))
        command = pyspy.record_command(
            order.executable, target.pid, order.view, order.rate_hz, base + ".raw", target.whole_tree
        )
        recorder = Recorder(target.pid, command, order.folder, base + ".raw", base + ".log")
        self._recorders[target.pid] = recorder

    def _everyone(self) -> list[Recorder]:
        return [*self._recorders.values(), *self._broken]

    def _broke(self, pid: int, recorder: Recorder) -> bool:
        """Whether it ended with a fault while its process lives and it was not told to; each may be replaced once."""
        if not recorder.exit_code or recorder.stopped_ns is not None or self.stopped_ns is not None:
            return False
        tried = any(one.target == pid for one in self._broken)
        return recorder.sampling_ns is not None and not tried and procfs.stat(pid) is not None

    def _replace(self, pid: int, recorder: Recorder) -> None:
        self._broken.append(recorder)
        del self._recorders[pid]
        self._start(self._targets[pid]._replace(whole_tree="--subprocesses" in recorder.command))

    @staticmethod
    def _loss(recorder: Recorder) -> str:
        reason = pyspy.complaint(recorder.log) or "exit code %s" % recorder.exit_code
        return "the recorder of process %d ended by itself: %s" % (recorder.target, reason)

    def _starting(self) -> List[int]:
        return [
            pid
            for pid, recorder in self._recorders.items()
            if recorder.sampling_ns is None and recorder.exit_code is None
        ]

    def _covers_all(self) -> bool:
        return any("--subprocesses" in recorder.command for recorder in self._recorders.values())

    def _counted(self) -> List[Recorder]:
        """All but those whose process was gone before they could look at it: a worker may die at any moment."""
        return [
            recorder
            for pid, recorder in self._recorders.items()
            if recorder.exit_code in (None, 0)
            or recorder.sampling_ns is not None
            or procfs.stat(pid) is not None
        ]

    def _over(self) -> None:
        counted = self._counted()
        self.ended_ns = clock.now_ns()
        codes = [one.exit_code for one in counted]
        # What one of them holds is worth keeping, whatever became of the others; `note` says what is missing.
        self.exit_code = 0 if 0 in codes else next((code for code in codes if code), 1)
        self._merge()

    def _merge(self) -> None:
        """One file in the grammar of `--subprocesses`: which process each stack belongs to stands before it."""
        try:
            with os.fdopen(os.open(self.output, _NEW, 0o600), "wb") as target:
                for pid, recorder in self._recorders.items():
                    self._copy(pid, recorder, target)
        except OSError as error:
            self.full = is_full(error)
            self._unwritten = "its samples could not be written: %s" % error.strerror
            with contextlib.suppress(OSError):
                os.unlink(self.output)

    def _copy(self, pid: int, recorder: Recorder, target: BinaryIO) -> None:
        whole_tree = "--subprocesses" in recorder.command
        prefix = b"" if whole_tree else _prefix(self._targets[pid])
        heads = self._targets[pid].heads if whole_tree else ()
        with contextlib.suppress(FileNotFoundError), open(recorder.output, "rb") as file:
            for line in file:
                # A thread's name may hold a newline: what follows it is no new stack.
                target.write(prefix + line if line.startswith(_THREAD) else _beheaded(line, heads))


def _prefix(target: Target) -> bytes:
    arbiter = b'process %d:"gunicorn";' % target.arbiter
    return arbiter if target.pid == target.arbiter else arbiter + b'process %d:"gunicorn";' % target.pid


def _beheaded(line: bytes, heads: Tuple[int, ...]) -> bytes:
    """A line of a whole tree from the arbiter on that it belongs to: a new one is a child of the old, and no worker."""
    for head in heads if line.startswith(_PROCESS) else ():
        found = line.find(b';process %d:"' % head, 0, max(0, line.find(b";" + _THREAD)))
        if found >= 0:
            return line[found + 1 :]
    return line
