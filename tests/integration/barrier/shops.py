"""The bundled shop under its own gunicorns, and the real command that releases checkouts on it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]
PLAN = ROOT / "plans" / "shop.yml"


class Shop:
    """One shop that runs."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url

    def rows(self, service: str, statement: str) -> list[Any]:
        """Straight from its database, past the service."""
        with closing(sqlite3.connect(self.folder / f"{service}.sqlite")) as database:
            return database.execute(statement).fetchall()

    def load(self, plan: Path, reports: Path, *words: str) -> tuple[int, dict[str, Any], str]:
        """`toolkit load`: exit code, summary.json, what it told."""
        call = self.start(plan, reports, *words)
        out, told = call.communicate(timeout=120)
        assert "Traceback" not in told, told
        result = json.loads(out) if out.strip() else {}
        return call.returncode, result.get("summary") or {}, told

    def start(self, plan: Path, reports: Path, *words: str) -> subprocess.Popen[str]:
        """`toolkit load`, on its way."""
        argv = [sys.executable, "-m", "toolkit", "load", str(plan), "--reports", str(reports)]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("TOOLKIT_")}
        return subprocess.Popen(
            [*argv, "--quiet", "--json", *words],
            cwd=ROOT,
            env={**environ, "TOOLKIT_SHOP_URL": self.url},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

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
    """A shop as `toolkit demo start --shop` starts it, on the usual ports or any."""
    demo = [sys.executable, "-m", "toolkit", "demo"]
    where = ["--demo-dir", str(folder / "demo")]
    environ = {**os.environ, "RACY": str(int(racy)), "DEMO_WORKERS": "1"}
    try:
        subprocess.run(
            [*demo, "start", "--shop", *where], cwd=ROOT, env=environ, check=True, capture_output=True
        )
        told = subprocess.run(
            [*demo, "status", "--json", *where], cwd=ROOT, check=True, capture_output=True
        ).stdout
        yield Shop(folder / "demo" / "shop", json.loads(told)["shop"])
    finally:
        subprocess.run([*demo, "stop", *where], cwd=ROOT, check=True, capture_output=True)


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
