"""The bundled shop as `toolkit demo start --shop` starts it, and the real command that loads it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
_DEMO = [sys.executable, "-m", "toolkit", "demo"]


class BundledShop:
    """One shop that runs. `folder` has its databases and logs."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url

    def rows(self, database: str, statement: str) -> list[Any]:
        """Straight from stock, payment or orders, past the service."""
        with closing(sqlite3.connect(self.folder / f"{database}.sqlite")) as connection:
            return connection.execute(statement).fetchall()

    def log(self, service: str) -> list[dict[str, Any]]:
        """The access log of one of the gunicorns."""
        return [json.loads(line) for line in (self.folder / f"{service}.access.log").read_text().splitlines()]

    def pid(self, service: str) -> int:
        """Of one of the gunicorns: the arbiter."""
        return int((self.folder / f"{service}.pid").read_text())

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


@contextmanager
def bundled_shop(folder: Path, **environ: str) -> Iterator[BundledShop]:
    """A shop of one's own, with such variables (RACY, UNCHECKED, SHOP_WORKERS), on the usual ports or any."""
    where = ["--demo-dir", str(folder / "demo")]
    try:
        started = subprocess.run(
            [*_DEMO, "start", "--shop", *where],
            cwd=ROOT,
            env={**os.environ, "DEMO_WORKERS": "1", **environ},
            capture_output=True,
            text=True,
        )
        assert started.returncode == 0, started.stderr
        told = subprocess.run(
            [*_DEMO, "status", "--json", *where], cwd=ROOT, check=True, capture_output=True
        ).stdout
        yield BundledShop(folder / "demo" / "shop", json.loads(told)["shop"])
    finally:
        subprocess.run([*_DEMO, "stop", *where], cwd=ROOT, check=True, capture_output=True)
