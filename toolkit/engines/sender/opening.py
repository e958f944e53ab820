"""What has to be known before the first record is sent: the file's records, the ledger, and what an earlier run has done."""

from __future__ import annotations

import hashlib
import os
import random
import secrets
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.engines.sender.record_files import RecordIndex, scan
from toolkit.engines.sender.requests import Requests
from toolkit.engines.sender.template import MissingFieldError, value_of
from toolkit.errors import UsageError
from toolkit.recording.jsonl import JsonLines
from toolkit.recording.ledger import UNSENT, Ledger, LedgerHead, LedgerState, boot_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from toolkit.engines.sender.record_files import Found
    from toolkit.engines.sender.settings import SendSettings


@dataclass(frozen=True)
class Opened:
    """Ready to be dealt out."""

    index: RecordIndex
    order: array[int]
    """Record numbers in the order in which they are sent."""
    head: LedgerHead
    invalid: int


def open_records(settings: SendSettings, ledger: Ledger) -> Opened:
    """Read the file once, write the head of the ledger, and take over what an earlier run has done.

    Raises:
        UsageError: the file is none of records; or the earlier run cannot be resumed.
        OSError: the run folder cannot be written.
    """
    path = Path(settings.file)
    ledger.path.mkdir(parents=True, exist_ok=True)
    before = resumable(Ledger(Path(settings.resume)), path) if settings.resume else None
    index, invalid = _indexed(settings, ledger)
    shuffled = settings.order == "shuffled"
    head = LedgerHead(
        file=str(path),
        sha256=digest(path),
        records=len(index),
        token=secrets.token_hex(6),
        order=settings.order,
        seed=secrets.randbits(32) if shuffled else 0,
        boot_id=boot_id(),
        resumes=str(Path(settings.resume).parents[2]) if settings.resume else "",
    )
    if before is not None:
        _take_over(Ledger(Path(settings.resume)), before, ledger, head)
    else:
        ledger.begin(head, None, iter(()))
    states = ledger.read().states
    order = array("I", (number for number in range(1, len(index) + 1) if states[number] == UNSENT))
    if shuffled:
        random.Random(head.seed).shuffle(order)  # noqa: S311 - an order, no secret
    return Opened(index, order, head, invalid)


def resumable(ledger: Ledger, path: Path) -> LedgerState:
    """Where an earlier run's records stand.

    Raises:
        UsageError: it still sends, was resumed already, or was of another file.
    """
    run = ledger.path.parents[2]
    if senders := ledger.senders():
        raise UsageError(f"{run} still sends ({', '.join(senders)}).", "Wait for its end, or stop it.")
    if ledger.resumed_by.exists():
        named = ledger.resumed_by.read_text(encoding="utf-8").strip()
        raise UsageError(
            f"{run} was resumed already, by {named}.",
            f"Resume that one. Where it is gone and sent nothing, remove {ledger.resumed_by}.",
        )
    state = ledger.read()
    if digest(path) != state.head.sha256:
        raise UsageError(
            f"{path} is not the file that {run} sent: its content is another one.",
            "Put that file back: record numbers are only good for it.",
        )
    return state


def digest(path: Path) -> str:
    """SHA-256 of a file.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None


def unfit(found: Found, fields: Iterable[str]) -> str:
    """Why a record cannot be sent; empty where it can."""
    if found.record is None:
        return found.problem
    try:
        for field in fields:
            value_of(found.record, field)
    except MissingFieldError as error:
        return str(error)
    return ""


def _indexed(settings: SendSettings, ledger: Ledger) -> tuple[RecordIndex, int]:
    fields = sorted(Requests(settings).fields)
    index, invalid = RecordIndex(Path(settings.file)), 0
    lines = JsonLines(ledger.invalid)
    try:
        for found in scan(index.path):
            index.add(found)
            if problem := unfit(found, fields):
                invalid += 1
                lines.append({"record": len(index), "line": found.line, "problem": problem})
    finally:
        lines.close()
    return index, invalid


def _take_over(old: Ledger, state: LedgerState, ledger: Ledger, head: LedgerHead) -> None:
    """Say in the old run, first, that it is resumed: of two that try at once one is refused."""
    try:
        handle = os.open(old.resumed_by, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UsageError(f"{head.resumes} was resumed by another run just now.", "Resume that one.") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{ledger.path.parents[2].resolve()}\n")
        file.flush()
        os.fsync(file.fileno())
    ledger.begin(head, state, old.unknown(state))
