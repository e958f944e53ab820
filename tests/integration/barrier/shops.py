"""The bundled shop under its own gunicorns, and the real command that releases checkouts on it."""

from __future__ import annotations

import json
import os
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.bundled_shop import ROOT, BundledShop, bundled_shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLAN = ROOT / "plans" / "shop.yml"


class Shop(BundledShop):
    """One shop that runs."""

    def plan(self, folder: Path, **verify: Any) -> Path:
        """A plan of 60 checkouts of ten items, with what is verified."""
        content = {
            "name": "small",
            "target": self.url,
            "load": {
                "canary": "off",
                "scenarios": [
                    {
                        "consistency": {
                            "populate": [{"request": "POST /populate", "body": {"items": 10, "users": 60}}],
                            "act": {
                                "request": "POST /orders/checkout",
                                "actions": 60,
                                "values": {
                                    "user": {"first": 1, "last": 60},
                                    "item": {"first": 1, "last": 10},
                                },
                            },
                            "verify": verify,
                        }
                    }
                ],
            },
        }
        path = folder / "plan.yml"
        path.write_text(json.dumps(content))  # JSON is YAML
        return path


@contextmanager
def shop(folder: Path, *, racy: bool) -> Iterator[Shop]:
    """A shop of one's own."""
    with bundled_shop(folder, RACY=str(int(racy))) as found:
        yield Shop(found.folder, found.url)


def lost_updates(shop: Shop) -> tuple[set[str], set[str]]:
    """Items and users of which an update was lost, from the shop's own databases: 1 in stock each, 1 credit each, price 1."""
    sold = Counter(row[0] for row in shop.rows("orders", "SELECT item FROM orders"))
    spent = Counter(row[0] for row in shop.rows("orders", 'SELECT "user" FROM orders'))
    items = {
        str(number)
        for number, stock in shop.rows("stock", "SELECT id, stock FROM items")
        if 1 - stock != sold[number]
    }
    users = {
        str(number)
        for number, credit in shop.rows("payment", "SELECT id, credit FROM users")
        if 1 - credit != spent[number]
    }
    return items, users


def goes_first() -> bool:
    """Whether a process of this user may go ahead of others: without it the shop's threads stretch the release."""
    policy, value = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except OSError:
        return False
    os.sched_setscheduler(0, policy, value)
    return True
