"""The six scenarios of a checkout, by the real Locust against the bundled shop."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from tests.bundled_shop import ROOT, BundledShop, bundled_shop

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.needs_locust

PLAN = ROOT / "plans" / "checkout.yml"
CHECKOUT = "POST /orders/[order]/checkout, "
PAID, REFUSED = ("one item", "two items", "after a regret"), ("too little stock", "too little credit")
LAST = {
    "AdminAddsStock": "POST /stock/items/[item]/add, admin alone",
    "BuysOne": CHECKOUT + "one item",
    "BuysTwo": CHECKOUT + "two items",
    "RegretsAndBuys": CHECKOUT + "after a regret",
    "LacksStock": CHECKOUT + "must fail: too little stock",
    "LacksCredit": CHECKOUT + "must fail: too little credit",
}
"""Scenario → the request that it ends with."""

HELD_ITEMS = "SELECT item, quantity FROM reserved JOIN holds ON holds.id = hold WHERE state = 'held'"
SOLD_ITEMS = "SELECT item, quantity FROM lines JOIN purchases ON purchases.id = purchase WHERE state = 'paid'"
HELD_CREDIT = "SELECT user, charged.amount FROM charged JOIN holds ON holds.id = hold WHERE state = 'held'"


def by_name(summary: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in summary["requests"]}


def single_requests(reports: Path) -> list[dict[str, str]]:
    argv = [sys.executable, "-m", "toolkit", "requests", str(reports / "latest")]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return list(csv.DictReader(done.stdout.splitlines()))


def checkouts(shop: BundledShop, status: int) -> int:
    path = re.compile(r"/orders/[^/]+/checkout")
    return sum(bool(path.fullmatch(line["path"])) and line["status"] == status for line in shop.log("order"))


def test_the_plan_as_it_stands_counts_what_the_services_counted(tmp_path: Path) -> None:
    with bundled_shop(tmp_path) as shop:
        code, summary, told = shop.load(PLAN, tmp_path / "reports")
        assert code == 0, told
        launched = {row["name"]: row["launched"] for row in summary["scenarios"]}
        assert launched == dict(zip(LAST, (1, 6, 5, 4, 2, 2), strict=True)), "users, by the weights"
        rows = single_requests(tmp_path / "reports")
        named = by_name(summary)
        assert set(LAST.values()) <= set(named)
        for scenario, name in LAST.items():
            of_it = [row for row in rows if row["name"] == name]
            assert {row["scenario"] for row in of_it} == {scenario}
            assert len(of_it) == named[name]["count"] >= 3
        # Cut off at the end may be one of each user; nothing else has failed.
        cut = [row for row in rows if row["status"] == ""]
        assert {row["error"] for row in cut} <= {"interrupted"}
        assert summary["totals"]["failed"] == len(cut) <= 20
        answered = {row["request_id"]: row for row in rows if row["status"]}
        canary = {"/healthz"}
        logged = {line["request_id"]: line for line in shop.log("gateway") if line["path"] not in canary}
        assert set(answered) <= set(logged) <= {row["request_id"] for row in rows}
        for request_id, row in answered.items():
            line = logged[request_id]
            assert (row["method"], urlsplit(row["url"]).path, row["status"], row["bytes_in"]) == (
                line["method"], line["path"], str(line["status"]), str(line["bytes"])
            )  # fmt: skip
        # By the order service's own log and its database; what was cut off it may have done all the same.
        paid, refused = (
            sum(named[CHECKOUT + prefix + what]["answered"] for what in kind)
            for prefix, kind in (("", PAID), ("must fail: ", REFUSED))
        )
        assert (
            paid
            <= checkouts(shop, 201)
            == len(shop.rows("orders", "SELECT id FROM orders"))
            <= paid + len(cut)
        )
        assert refused <= checkouts(shop, 409) <= refused + len(cut)
        assert sum(row["status"] == "409" and row["failed"] == "False" for row in rows) == refused
        assert shop.rows("orders", "SELECT count(*) FROM purchases WHERE state = 'pending'") == [(0,)]
        # Each service by itself: what is held is what was sold.
        assert sorted(shop.rows("stock", HELD_ITEMS)) == sorted(shop.rows("orders", SOLD_ITEMS))
        assert sorted(shop.rows("payment", HELD_CREDIT)) == sorted(
            shop.rows("orders", "SELECT user, price FROM orders")
        )


def test_a_checkout_that_must_fail_and_succeeds_is_a_failure(tmp_path: Path) -> None:
    with bundled_shop(tmp_path, UNCHECKED="1") as shop:
        code, summary, told = shop.load(PLAN, tmp_path / "reports", "--run-time", "8s")
        assert code == 99, told
        for name, row in by_name(summary).items():
            must_fail = "must fail" in name
            assert row["failed_checks"] == (row["answered"] if must_fail else 0), name
            assert not must_fail or row["answered"] >= 1
        assert set(summary["errors"]) - {"interrupted"} == {f"succeeded with {what}" for what in REFUSED}
        checks = {row["name"]: row["verdict"] for row in summary["checks"]["rows"]}
        assert checks["http.errors == 0"] == "failed"
        assert checks["http.p95 < 5s"] == "held"
        junit = ElementTree.parse(tmp_path / "reports" / "latest" / "junit.xml")
        assert [case.get("name") for case in junit.iter("testcase") if case.find("failure") is not None] == [
            "http.errors == 0"
        ]
        assert shop.rows("stock", "SELECT count(*) FROM items WHERE stock < 0") != [(0,)]


def test_plain_locust_plays_it_with_the_addresses_of_urls_json(tmp_path: Path) -> None:
    with bundled_shop(tmp_path) as shop:
        (tmp_path / "checkout.py").write_text((ROOT / "loadtesting" / "checkout.py").read_text())
        addresses = dict.fromkeys(json.loads((ROOT / "loadtesting" / "urls.json").read_text()), shop.url)
        (tmp_path / "urls.json").write_text(json.dumps(addresses))
        argv = [sys.executable, "-m", "locust", "-f", "checkout.py", "--headless", "--users", "6"]
        done = subprocess.run(
            [*argv, "--spawn-rate", "6", "--run-time", "5s", "--only-summary", "--json"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        counted = {f"{row['method']} {row['name']}": row for row in json.loads(done.stdout)}
        assert all(row["num_failures"] == 0 for row in counted.values())
        assert set(LAST.values()) - set(counted) <= {LAST["AdminAddsStock"]}, "6 users: none may be the admin"
        assert shop.rows("orders", "SELECT count(*) FROM orders") != [(0,)]
