"""How records are dealt out: each once, what a dead process held again, and on the disk before anybody is told."""

from __future__ import annotations

import asyncio
import json
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from toolkit.engines.base import LoadJob
from toolkit.engines.sender.dealer import MOST_LEASED, Dealer
from toolkit.engines.sender.engine import Sender
from toolkit.engines.sender.opening import open_records
from toolkit.engines.sender.settings import SendSettings
from toolkit.engines.sender.supply import Supply
from toolkit.errors import UsageError
from toolkit.recording.layout import LoadFolder
from toolkit.recording.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECORDS = 1000


def records(path: Path, count: int = RECORDS) -> Path:
    path.write_text("".join(json.dumps({"n": number}) + "\n" for number in range(1, count + 1)))
    return path


def settings(folder: Path, file: Path, **more: Any) -> SendSettings:
    return SendSettings("s", str(file), "http://127.0.0.1:1", str(folder), **more)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "run" / "load" / "s" / "ledger")


@pytest.fixture
def dealer(tmp_path: Path, ledger: Ledger) -> Iterator[Dealer]:
    made = dealer_of(tmp_path, ledger)
    yield made
    made.close()


def dealer_of(tmp_path: Path, ledger: Ledger, rate: float | None = None, **more: Any) -> Dealer:
    file = records(tmp_path / "r.jsonl")
    opened = open_records(settings(ledger.path.parent, file, **more), ledger)
    return Dealer(opened.index, opened.order, ledger, 2, rate)


def dealt(dealer: Dealer) -> list[int]:
    numbers, turn = [], 0
    while lease := dealer.lease(f"p{turn % 2 + 1}"):
        assert len(lease) <= MOST_LEASED
        assert all(record == {"n": number} for number, _, _, record in lease)
        numbers += [one[0] for one in lease]
        turn += 1
    return numbers


def test_in_order_each_once(dealer: Dealer) -> None:
    assert dealt(dealer) == list(range(1, RECORDS + 1))
    assert dealer.left == 0


def test_shuffled_each_once(tmp_path: Path, ledger: Ledger) -> None:
    dealer = dealer_of(tmp_path, ledger, order="shuffled")
    numbers = dealt(dealer)
    assert numbers != sorted(numbers)
    assert sorted(numbers) == list(range(1, RECORDS + 1))
    dealer.close()


def test_a_claim_is_written_before_it_is_told(
    dealer: Dealer, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = []
    monkeypatch.setattr("os.fdatasync", lambda _: order.append(ledger.claims.read_text()))
    lease = dealer.lease("p1")
    assert order == [f"c p1 {' '.join(str(one[0]) for one in lease)}\n"]


def test_what_a_dead_process_held_is_dealt_out_again(dealer: Dealer, ledger: Ledger) -> None:
    held = [one[0] for one in dealer.lease("p1")]
    ledger.marks("p1").write_text("".join(f"s {number} {number} 1\n" for number in held[:5]))
    dealer.refuse(held[5])
    assert dealer.take_back("p1") == len(held) - 6
    rest = dealt(dealer)
    assert sorted(rest) == sorted(set(range(1, RECORDS + 1)) - set(held[:6]))


def test_a_process_that_died_at_once_held_everything(dealer: Dealer) -> None:
    held = len(dealer.lease("p1"))
    assert dealer.take_back("p1") == held
    assert dealer.left == RECORDS


def test_a_pace_gives_each_record_its_time(tmp_path: Path, ledger: Ledger) -> None:
    dealer = dealer_of(tmp_path, ledger, rate=10)
    before = time.time_ns()
    due = [one[2] for _ in range(4) for one in dealer.lease("p1")]
    assert len(due) == 20  # no more ahead than a second of a process's share
    assert before <= due[0] <= time.time_ns()
    assert {later - earlier for earlier, later in pairwise(due)} == {100_000_000}
    dealer.close()


def test_of_two_that_resume_one_is_refused(tmp_path: Path, ledger: Ledger) -> None:
    dealer = dealer_of(tmp_path, ledger)
    dealer.lease("p1")
    old = str(ledger.path)
    with pytest.raises(UsageError, match=r"still sends \(claims\)"):
        dealer_of(tmp_path, Ledger(tmp_path / "new" / "load" / "s" / "ledger"), resume=old)
    dealer.close()
    newer = dealer_of(tmp_path, Ledger(tmp_path / "new" / "load" / "s" / "ledger"), resume=old)
    assert newer.left == RECORDS
    newer.close()
    with pytest.raises(UsageError, match="was resumed already"):
        dealer_of(tmp_path, Ledger(tmp_path / "third" / "load" / "s" / "ledger"), resume=old)


class Written:
    """What a process said to the dealer."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []

    def is_closing(self) -> bool:
        return False

    def write(self, data: bytes) -> None:
        self.said.append(json.loads(data))


def test_what_is_claimed_and_not_sent_is_dropped_when_the_dealer_is_gone() -> None:
    async def take_two() -> tuple[list[int], list[dict[str, Any]]]:
        reader, writer = asyncio.StreamReader(), Written()
        reader.feed_data(json.dumps({"records": [[n, n, 0, {}] for n in range(1, 9)]}).encode() + b"\n")
        supply = Supply(reader, writer, 1)  # type: ignore[arg-type]  # all that it uses of a writer
        listening = asyncio.create_task(supply.listen())
        taken = [await supply.take(again=False), await supply.take(again=True)]
        reader.feed_eof()
        await listening
        assert await supply.take(again=True) is None
        return [one.number for one in taken if one], writer.said

    numbers, said = asyncio.run(take_two())
    assert numbers == [1, 2]
    assert said[:2] == [{"want": True}, {"idle": True}]


@pytest.mark.parametrize(
    ("target", "send", "says"),
    [
        ("http://127.0.0.1:1", {}, "needs send:"),
        ("", {"request": "GET /"}, "needs a target"),
        ("ws://127.0.0.1:1", {"request": "GET /"}, "needs a target"),
        ("http://127.0.0.1:1", {"request": "GET /{{ m }}"}, "it has no field 'm'"),
        ("http://127.0.0.1:1", {"request": "GET /", "headers": {"A": "b\nc"}}, "line break"),
    ],
)
def test_what_cannot_be_sent_is_said_before(
    tmp_path: Path, target: str, send: dict[str, Any], says: str
) -> None:
    (said,) = Sender().check(LoadJob("s", records(tmp_path / "r.jsonl", 3), target, send=send))
    assert says in said


def test_a_run_without_a_ledger_is_not_resumed(tmp_path: Path) -> None:
    job = LoadJob(
        "s", records(tmp_path / "r.jsonl", 3), "http://h", send={"request": "GET /"}, resume=tmp_path
    )
    (said,) = Sender().check(job)
    assert "has no ledger of a scenario s" in said


def test_how_it_ended(tmp_path: Path) -> None:
    folder = LoadFolder(tmp_path / "run" / "load" / "s")
    folder.path.mkdir(parents=True)
    assert Sender().ending(-9, folder, stopped_by_us=False).outcome == "invalid"
    folder.console.write_text("Error: r.jsonl:7: this is no JSON.\n")
    ended = Sender().ending(2, folder, stopped_by_us=False)
    assert (ended.outcome, ended.problem) == ("failed", "r.jsonl:7: this is no JSON")
    folder.events.write_text('{"t_ns":1,"kind":"done"}\n')
    assert Sender().ending(0, folder, stopped_by_us=False).outcome == "passed"
    folder.events.write_text('{"t_ns":1,"kind":"worker_error","message":"3 records were not sent"}\n')
    ended = Sender().ending(0, folder, stopped_by_us=False)
    assert ended.outcome == "invalid"
    assert ended.problem == f"3 records were not sent; --resume {tmp_path / 'run'} sends the rest"
