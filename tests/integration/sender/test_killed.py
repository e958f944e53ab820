"""kill -9 at any moment, and --resume: each record arrives once, or is listed as unknown and arrived at most once.

TOOLKIT_KILLS is the number of rounds (`make kills`: 50).
"""

from __future__ import annotations

import logging
import os
import random
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.integration.sender.sending import Sending, senders_of
from toolkit.recording.ledger import Ledger

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.demo.service import DemoState

LOG = logging.getLogger(__name__)
ROUNDS = int(os.environ.get("TOOLKIT_KILLS") or 2)
RECORDS = 600


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_each_record_arrives_once_or_is_unknown(demo: DemoState, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    folder = tmp_path / f"kill{seed}"
    sending = Sending(demo, folder, RECORDS, rate=400, order=chance.choice(["in order", "shuffled"]))
    killed = kill_all_three(sending, chance)
    code, entry, told = sending.send("--resume", str(sending.latest()))
    assert code == 0, told
    check(sending, entry, f"round {seed}: {killed} killed")


def test_a_controller_that_is_killed_takes_the_senders_along(demo: DemoState, tmp_path: Path) -> None:
    sending = Sending(demo, tmp_path / "controller", RECORDS, rate=200)
    call = sending.start(str(sending.plan))
    deadline = time.monotonic() + 60
    while len(sending.arrived()) < 20:
        assert time.monotonic() < deadline, "nothing was sent"
        time.sleep(0.02)
    senders = senders_of(call.pid)
    call.kill()
    call.communicate()
    (run,) = (sending.folder / "reports").iterdir()
    assert psutil.wait_procs(senders, timeout=15)[1] == []
    before = len(sending.arrived())
    assert before < RECORDS
    code, entry, told = sending.send("--resume", str(run))
    assert code == 0, told
    check(sending, entry, "controller killed")


def check(sending: Sending, entry: dict[str, Any], what: str) -> None:
    """Each record once at the service, or unknown and there at most once."""
    assert entry["unsent"] == 0
    assert entry["answered"] + entry["unknown"] == RECORDS
    arrived = sending.arrived()
    ledger = Ledger(sending.latest() / "load" / "records" / "ledger")
    unknown = {f"{sending.name}-{one.record}" for one in ledger.unknown(ledger.read())}
    assert len(unknown) == entry["unknown"]
    for number in range(1, RECORDS + 1):
        name = f"{sending.name}-{number}"
        assert arrived[name] == 1 or (name in unknown and arrived[name] == 0), (name, arrived[name])
    assert set(arrived) <= {f"{sending.name}-{number}" for number in range(1, RECORDS + 1)}
    found = sum(arrived[one] for one in unknown)
    LOG.info("%s, %d unknown, of them %d arrived", what, len(unknown), found)


def kill_all_three(sending: Sending, chance: random.Random) -> int:
    """A run whose three senders are killed, each at a moment of its own; now and then what deals out the records, too."""
    call = sending.start(str(sending.plan))
    deadline = time.monotonic() + 60
    while len(senders_of(call.pid)) < 3 or not sending.arrived():
        assert time.monotonic() < deadline, "nothing was sent"
        assert call.poll() is None, call.communicate()
        time.sleep(0.02)
    victims = senders_of(call.pid)
    if chance.random() < 0.3:
        victims += senders_of(call.pid, "sender.deal")
    chance.shuffle(victims)
    killed = 0
    for victim in victims:
        time.sleep(chance.uniform(0, 0.4))
        if victim.is_running():
            victim.kill()
            killed += 1
    _, told = call.communicate(timeout=100)
    assert call.returncode == 97, told
    return killed
