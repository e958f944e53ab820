"""What the ledger says after an end at any byte."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from toolkit.errors import ToolkitError
from toolkit.recording.ledger import (
    ANSWERED,
    INVALID,
    LOST,
    REBOOTED,
    UNKNOWN,
    UNSENT,
    Ledger,
    LedgerHead,
    MarkFile,
    boot_id,
)

if TYPE_CHECKING:
    from pathlib import Path

HEAD = LedgerHead("f.jsonl", "ab", 7, "tok", boot_id=boot_id())
MARKS = "s 1 1 10\na 1 201\ns 2 2 20\nu 2 no HTTP: what\ns 3 3 30\n"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    made = Ledger(tmp_path)
    made.begin(HEAD, None, iter(()))
    made.claims.write_text("c p1 1 2 3 4\nc p2 5 6\nc p2 7")
    made.marks("p1").write_text(MARKS)
    made.invalid.write_text('{"record": 6, "line": 6, "problem": "no object"}\n')
    return made


def states(ledger: Ledger) -> list[int]:
    return list(ledger.read().states[1:])


def test_where_each_record_stands(ledger: Ledger) -> None:
    state = ledger.read()
    assert states(ledger) == [ANSWERED, UNKNOWN, UNKNOWN, UNSENT, UNSENT, INVALID, UNSENT]
    assert state.claimed == 2  # 4 and 5; the claim of 7 was never whole, so that nobody was told
    assert state.statuses == {201: 1}
    assert [(one.record, one.line, one.sent_ns, one.problem) for one in ledger.unknown(state)] == [
        (2, 2, 20, "no HTTP: what"),
        (3, 3, 30, LOST),
    ]
    assert [one.request_id for one in ledger.unknown(state)] == ["tok-2", "tok-3"]


def test_cut_at_any_byte_nothing_sent_is_taken_for_unsent(ledger: Ledger) -> None:
    for length in range(len(MARKS) + 1):
        ledger.marks("p1").write_text(MARKS[:length])
        whole = MARKS[:length].rpartition("\n")[0].split("\n")
        sent = {int(line.split()[1]) for line in whole if line.startswith("s ")}
        found = ledger.read().states
        assert {record for record in range(1, 8) if found[record] in (ANSWERED, UNKNOWN)} == sent


def test_after_another_boot_what_was_claimed_is_unknown(ledger: Ledger) -> None:
    ledger.begin(replace(HEAD, boot_id="another"), None, iter(()))
    state = ledger.read()
    assert list(state.states[1:]) == [ANSWERED, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, INVALID, UNSENT]
    assert state.claimed == 0
    assert [one.problem for one in ledger.unknown(state)][2:] == [REBOOTED, REBOOTED]


def test_a_resumed_ledger_knows_what_was_before(ledger: Ledger, tmp_path: Path) -> None:
    state = ledger.read()
    newer = Ledger(tmp_path / "newer")
    newer.path.mkdir()
    newer.begin(replace(HEAD, token="new"), state, ledger.unknown(state))
    newer.marks("p1").write_text("s 4 4 40\na 4 200\ns 5 5 50\n")
    after = newer.read()
    assert after.before == {"answered": 1, "unknown": 2}
    assert list(after.states[1:]) == [ANSWERED, UNKNOWN, UNKNOWN, ANSWERED, UNKNOWN, INVALID, UNSENT]
    assert after.statuses == {200: 1}
    assert [one.request_id for one in newer.unknown(after)] == ["tok-2", "tok-3", "new-5"]


def test_who_still_sends(ledger: Ledger) -> None:
    assert ledger.senders() == []
    held = MarkFile(ledger.marks("p3"))
    assert ledger.senders() == ["p3"]
    with pytest.raises(OSError, match="temporarily unavailable"):
        MarkFile(ledger.marks("p3"))
    held.close()
    assert ledger.senders() == []


def test_what_a_process_sent(ledger: Ledger) -> None:
    assert ledger.sent_by("p1") == {1, 2, 3}
    assert ledger.sent_by("p9") == set()  # killed before it opened its file


def test_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match="holds no ledger"):
        Ledger(tmp_path).read()
    (tmp_path / "head.json").write_text(json.dumps({"schema": 2}))
    with pytest.raises(ToolkitError, match="another schema"):
        Ledger(tmp_path).read()
