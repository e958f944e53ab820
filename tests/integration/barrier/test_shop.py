"""1000 checkouts at once on the bundled shop: a racy one is found out with exactly the right ids, a sound one is cleared.

TOOLKIT_SHOPS is the number of rounds (`make consistency`: 20).
"""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.gunicorns import until
from tests.integration.barrier.shops import PLAN, goes_first, lost_updates, shop
from tests.integration.sender.sending import senders_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.barrier.shops import Shop

LOG = logging.getLogger(__name__)
ROUNDS = range(int(os.environ.get("TOOLKIT_SHOPS") or 1))
STOCK = "each items: before.stock - stock == count(told by item)"
CREDIT = "each users: before.credit - credit == sum(orders.price by user)"


@pytest.fixture(scope="module")
def racy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with shop(tmp_path_factory.mktemp("racy"), racy=True) as found:
        yield found


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with shop(tmp_path_factory.mktemp("sound"), racy=False) as found:
        yield found


def ids(entry: dict[str, Any], invariant: str) -> set[str]:
    one = next(one for one in entry["invariants"] if one["invariant"] == invariant)
    return {row["id"] for row in one["violating"]}


@pytest.mark.parametrize("number", ROUNDS)
def test_a_racy_shop_is_found_out_with_exactly_the_lost_updates(
    racy: Shop, tmp_path: Path, number: int
) -> None:
    code, summary, told = racy.load(PLAN, tmp_path)
    assert code == 99, told
    (entry,) = summary["consistency"]
    items, users = lost_updates(racy)
    assert items
    assert (ids(entry, STOCK), ids(entry, CREDIT)) == (items, users)
    assert {one["service"] for one in entry["invariants"]} == {"stock", "payment", "order"}
    of_orders = [one["verdict"] for one in entry["invariants"] if one["service"] == "order"]
    assert of_orders == ["held", "held"]
    assert entry["spread_ms"] <= 50 or not goes_first()
    orders = {row[0] for row in racy.rows("orders", "SELECT id FROM orders")}
    for one in entry["invariants"]:
        for row in one["violating"]:
            assert set(row["actions"]) <= orders
    page = (tmp_path / "latest" / "report.html").read_text()
    text = (tmp_path / "latest" / "summary.txt").read_text()
    assert "the data did not stay right" in page
    for item in sorted(items)[:10]:
        assert f"<tr><td>{item}</td><td>no</td>" in page
    assert "1000 actions began within" in text
    assert "stock: each items: before.stock - stock == count(told by item)" in text
    LOG.info(
        "round %d: %d items, %d users, spread %.1f ms", number, len(items), len(users), entry["spread_ms"]
    )


@pytest.mark.parametrize("number", ROUNDS)
def test_a_sound_shop_is_cleared(sound: Shop, tmp_path: Path, number: int) -> None:
    code, summary, told = sound.load(PLAN, tmp_path)
    assert code == 0, told
    (entry,) = summary["consistency"]
    assert (entry["verdict"], entry["violations"], entry["unclear"]) == ("held", 0, 0)
    assert (entry["unknown"], entry["unsent"], entry["actions"]) == (0, 0, 1000)
    assert entry["told"] == len(sound.rows("orders", "SELECT id FROM orders"))
    assert entry["spread_ms"] <= 50 or not goes_first()
    LOG.info("round %d: sound, spread %.1f ms", number, entry["spread_ms"])


def test_the_state_by_sql_and_by_a_function(racy: Shop, tmp_path: Path) -> None:
    (tmp_path / "state.py").write_text(
        "import json, urllib.request\n"
        "def items(target):\n"
        "    with urllib.request.urlopen(target + '/stock/items') as answer:\n"
        "        return json.load(answer)\n"
    )
    database = f"sqlite:///{racy.folder / 'orders.sqlite'}"
    plan = racy.plan(
        tmp_path,
        read={
            "items": {"python": "state.py:items", "service": "stock"},
            "orders": {"sql": "SELECT id, item FROM orders", "database": database},
        },
        invariants=["each items: before.stock - stock == count(orders by item)", "told within orders"],
    )
    code, summary, told = racy.load(plan, tmp_path / "reports")
    assert code == 0, told  # nothing is asked of it but to be recorded
    (entry,) = summary["consistency"]
    assert [table["after"] for table in entry["tables"]] == [10, entry["told"]]
    items, _ = lost_updates(racy)
    assert ids(entry, "each items: before.stock - stock == count(orders by item)") == items


def test_what_is_wrong_is_said_before_any_load(sound: Shop, tmp_path: Path) -> None:
    http = {"items": {"http": "GET /stock/items"}}
    held = ["each items: stock >= 0"]
    gone = {"orders": {"sql": "SELECT 1", "database": "postgresql+nodriver://u:secret@127.0.0.1:1/x"}}
    empty = {"orders": {"sql": "SELECT id FROM orders", "database": f"sqlite:///{tmp_path}/none.sqlite"}}
    before = sound.rows("orders", "SELECT count(*) FROM orders")
    for verify, code, said in (
        ({"read": http, "invariants": ["sum(itemz.stock) == 1"]}, 2, "there is no quantity 'itemz'"),
        ({"read": http, "invariants": ["each items: colour >= 0"]}, 1, "has no field 'colour'"),
        ({"read": {"items": {"http": "GET /nowhere"}}, "invariants": held}, 1, "was answered with 404"),
        ({"read": {"items": {"http": "GET /healthz"}}, "invariants": held}, 1, "was not answered with JSON"),
        ({"read": {**http, **gone}, "invariants": held}, 2, "none that SQLAlchemy knows"),
        ({"read": {**http, **empty}, "invariants": held}, 2, "cannot be reached: there is no such file"),
        ({"read": {"items": {"python": "none.py:f"}}, "invariants": held}, 2, "there is no file"),
    ):
        found, _, told = sound.load(sound.plan(tmp_path, **verify), tmp_path / "reports")
        assert (found, said in told) == (code, True), told
        assert "secret" not in told
    populated = {"read": http, "invariants": held}
    plan = json.loads(sound.plan(tmp_path, **populated).read_text())
    plan["load"]["scenarios"][0]["consistency"]["act"]["body"] = {"id": "{{ idd }}"}
    (tmp_path / "plan.yml").write_text(json.dumps(plan))
    found, _, told = sound.load(tmp_path / "plan.yml", tmp_path / "reports")
    assert (found, "there is no value 'idd'" in told) == (2, True), told
    assert sound.rows("orders", "SELECT count(*) FROM orders") in (before, [(0,)])


def test_whoever_is_killed_leaves_nothing_behind_and_a_run_that_says_so(sound: Shop, tmp_path: Path) -> None:
    """The conductor: its processes end, and nothing is said of the data."""
    plan = json.loads(
        sound.plan(
            tmp_path, read={"items": {"http": "GET /stock/items"}}, invariants=["each items: stock >= 0"]
        ).read_text()
    )
    plan["load"]["scenarios"][0]["consistency"]["verify"]["settle"] = "60s"
    (tmp_path / "plan.yml").write_text(json.dumps(plan))
    call = sound.start(tmp_path / "plan.yml", tmp_path / "reports")
    conductors = until(lambda: senders_of(call.pid, "barrier.conduct"), "the conductor")
    releasing = until(lambda: senders_of(call.pid, "barrier.process"), "releasing processes")
    conductors[0].kill()
    _, told = call.communicate(timeout=60)
    assert call.returncode == 97, told
    assert "was ended by SIGKILL" in told
    assert psutil.wait_procs(releasing, timeout=10)[1] == []
