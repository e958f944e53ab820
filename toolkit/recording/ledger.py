"""The ledger of traffic from a file: what became of each record. Append-only, and whole after a kill -9 at any instant.

    ledger/head.json      `LedgerHead`: which file, how many records, under which boot of the machine
    ledger/before.gz      of a resumed run: one byte a record, its state when this run began
    ledger/before.jsonl   of a resumed run: `Unknown` for each record that was unknown then
    ledger/invalid.jsonl  `{"record", "line", "problem"}`: records that cannot be sent
    ledger/claims.log     `c PROCESS RECORD RECORD …`: on the disk (fsync) before the process is told
    ledger/<process>.log  `s RECORD LINE T_NS` handed to the system before the first byte of the request is;
                          `a RECORD STATUS` when the answer was whole; `u RECORD WHY` when there will be none
    ledger/resumed-by     the run that goes on from here: there is one at most

A record with an `s` and no `a` is unknown: the service may have it. One that was claimed and has no `s` was not sent, for the
mark comes first; unless the machine went down meanwhile (another boot), which may have cost marks: then it is unknown, too.
"""

from __future__ import annotations

import fcntl
import gzip
import json
import os
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError
from toolkit.recording.files import write_atomically
from toolkit.recording.jsonl import read_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = 1
UNSENT, ANSWERED, UNKNOWN, INVALID = range(4)
LOST = "its sender ended before an answer came"
REBOOTED = "claimed when the machine went down"


@dataclass(frozen=True)
class LedgerHead:
    """What a ledger is of. `records` counts all of the file, the invalid ones too; record numbers begin at 1."""

    file: str
    sha256: str
    records: int
    token: str
    """A request's id is `<token>-<record>`."""
    order: str = "in order"
    seed: int = 0
    boot_id: str = ""
    resumes: str = ""
    """The run folder that this one goes on from."""
    schema: int = SCHEMA


@dataclass(frozen=True)
class Unknown:
    """A record that the service may have, or may not."""

    record: int
    line: int
    """0 where it is not known."""
    sent_ns: int
    """0 where it was claimed and it is not known whether it was sent."""
    request_id: str
    problem: str


@dataclass
class LedgerState:
    """Where every record stands."""

    head: LedgerHead
    states: bytearray
    """By record number; the first byte is of no record."""
    claimed: int = 0
    """Of the unsent: how many a process had claimed."""
    statuses: Counter[int] = field(default_factory=Counter)
    """Of the answers in this run alone."""
    problems: dict[int, str] = field(default_factory=dict)
    """Why there will be no answer; of this run alone."""
    before: dict[str, int] = field(default_factory=dict)
    """How many were answered and unknown when this run began; empty where it resumes none."""

    def count(self, state: int) -> int:
        """How many records are in a state."""
        return self.states.count(state, 1)


@dataclass(frozen=True)
class Ledger:
    """`load/<scenario>/ledger/`."""

    path: Path

    @property
    def resumed_by(self) -> Path:
        """Names the one run that goes on from here."""
        return self.path / "resumed-by"

    @property
    def invalid(self) -> Path:
        """What cannot be sent."""
        return self.path / "invalid.jsonl"

    @property
    def claims(self) -> Path:
        """Who claimed what."""
        return self.path / "claims.log"

    def marks(self, process: str) -> Path:
        """What one process sent."""
        return self.path / f"{process}.log"

    def begin(self, head: LedgerHead, before: LedgerState | None, unknown: Iterator[Unknown]) -> None:
        """Write the head, and of a resumed run what was known before.

        Raises:
            OSError: the folder cannot be written.
        """
        if before is not None:
            write_atomically(self.path / "before.gz", gzip.compress(bytes(before.states), 1))
            with (self.path / "before.jsonl").open("w", encoding="utf-8") as file:
                file.writelines(json.dumps(asdict(one)) + "\n" for one in unknown)
        write_atomically(self.path / "head.json", json.dumps(asdict(head), indent=2) + "\n")

    def head(self) -> LedgerHead:
        """What it is of.

        Raises:
            ToolkitError: there is none, or it is of a schema that this toolkit does not know.
        """
        try:
            raw = json.loads((self.path / "head.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ToolkitError(f"{self.path} holds no ledger that can be read: {error}.") from None
        if not isinstance(raw, dict) or raw.get("schema") != SCHEMA:
            raise ToolkitError(
                f"{self.path} is of another schema than {SCHEMA}.", "Use the version that wrote it."
            )
        return LedgerHead(**{key: raw[key] for key in LedgerHead.__dataclass_fields__ if key in raw})

    def read(self) -> LedgerState:
        """Where every record stands; one byte a record in memory, and what is unknown.

        Raises:
            ToolkitError: as `head`.
        """
        head = self.head()
        states = bytearray(head.records + 1)
        before: dict[str, int] = {}
        if (self.path / "before.gz").exists():
            kept = gzip.decompress((self.path / "before.gz").read_bytes())
            states[: len(kept)] = kept[: len(states)]
            before = {"answered": states.count(ANSWERED, 1), "unknown": states.count(UNKNOWN, 1)}
        for row in read_lines(self.invalid):
            if 0 < row.get("record", 0) <= head.records:
                states[row["record"]] = INVALID
        state = LedgerState(head, states, before=before)
        for path in self._processes():
            _take_marks(path, state)
        _take_claims(self.claims, state)
        return state

    def unknown(self, state: LedgerState) -> Iterator[Unknown]:
        """Every record of which it is not known whether the service has it: from before this run, then process by process."""
        seen = bytearray(len(state.states))
        for row in read_lines(self.path / "before.jsonl"):
            seen[row["record"]] = 1
            yield Unknown(**{key: row[key] for key in Unknown.__dataclass_fields__})
        for path in self._processes():
            for mark in _marks(path):
                record = int(mark[1])
                if mark[0] == b"s" and state.states[record] == UNKNOWN:
                    seen[record] = 1
                    why = state.problems.get(record, LOST)
                    yield Unknown(record, int(mark[2]), int(mark[3]), f"{state.head.token}-{record}", why)
        at = state.states.find(UNKNOWN, 1)
        while at > 0:
            if not seen[at]:
                yield Unknown(at, 0, 0, f"{state.head.token}-{at}", REBOOTED)
            at = state.states.find(UNKNOWN, at + 1)

    def sent_by(self, process: str) -> set[int]:
        """What a process has sent, answered or not; nothing where it ended before it began."""
        path = self.marks(process)
        return {int(mark[1]) for mark in _marks(path) if mark[0] == b"s"} if path.exists() else set()

    def senders(self) -> list[str]:
        """The processes that may still send: those that hold their ledger open."""
        return [path.stem for path in [self.claims, *self._processes()] if path.exists() and _is_held(path)]

    def _processes(self) -> list[Path]:
        return [path for path in sorted(self.path.glob("*.log")) if path != self.claims]


class MarkFile:
    """One process's file of marks. Each mark is with the system before `write` returns; the file is locked while it is open."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def write(self, text: str) -> None:
        """Append whole lines.

        Raises:
            OSError: the disk is full; then what was to be sent must not be.
        """
        data = text.encode("ascii", "replace")
        while data:
            data = data[os.write(self._file, data) :]

    def sync(self) -> None:
        """Wait until all of it is on the disk."""
        os.fdatasync(self._file)

    def close(self) -> None:
        """Close the file, which unlocks it."""
        os.close(self._file)


def boot_id() -> str:
    """Another one each time the machine starts; empty where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _take_marks(path: Path, state: LedgerState) -> None:
    states = state.states
    for mark in _marks(path):
        record = int(mark[1])
        if mark[0] == b"s":
            states[record] = UNKNOWN
        elif mark[0] == b"a":
            states[record] = ANSWERED
            state.statuses[int(mark[2])] += 1
        else:
            state.problems[record] = mark[2].decode("ascii", "replace")


def _take_claims(path: Path, state: LedgerState) -> None:
    if not path.exists():
        return
    rebooted = state.head.boot_id != boot_id()
    claimed = bytearray(len(state.states))
    with path.open("rb") as file:
        for line in file:
            if line.startswith(b"c ") and line.endswith(b"\n"):
                for record in map(int, line.split()[2:]):
                    claimed[record] = state.states[record] == UNSENT
    state.claimed = 0 if rebooted else claimed.count(1)
    at = claimed.find(1) if rebooted else -1
    while at > 0:
        state.states[at] = UNKNOWN
        at = claimed.find(1, at + 1)


def _marks(path: Path) -> Iterator[list[bytes]]:
    """Every whole mark; the torn end of a file is of a request that was never begun."""
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n") and line[:2] in (b"s ", b"a ", b"u "):
                yield line[:-1].split(b" ", 2 if line[:1] == b"u" else -1)


def _is_held(path: Path) -> bool:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(file)
    return False
