"""kill -9 at any moment, and --resume: each record arrives once, or is listed as unknown and arrived at most once.

TOOLKIT_KILLS is the number of rounds (`make kills`: 50).
"""

from __future__ import annotations

import logging
import os
import random
import time
from typing import TYPE_CHECKING

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
    for _ in range(4):
        code, entry, told = sending.send("--resume", str(sending.latest()))
        assert code == 0, told
        if not entry["unsent"]:
            break
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
    LOG.info("round %d: %d killed, %d unknown, of them %d arrived", seed, killed, len(unknown), found)


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
