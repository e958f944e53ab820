"""Sends files of records with the real command to the bundled service, and looks at what arrived."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.demo.service import DemoState


class Sending:
    """One file and the runs that send it."""

    def __init__(self, demo: DemoState, folder: Path, records: int, **send: Any) -> None:
        self.demo, self.folder = demo, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.name = folder.name  # one service for all tests: ids tell whose messages they are
        self.file = folder / "records.jsonl"
        rows = (
            {"id": f"{self.name}-{number}", "to": "csr1", "text": "x" * 40}
            for number in range(1, records + 1)
        )
        self.file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        self.plan = folder / "plan.yml"
        self.write_plan(**send)

    def write_plan(self, **send: Any) -> None:
        scenario = {
            "name": "records",
            "engine": "sender",
            "file": str(self.file),
            "send": {"request": "POST /api/messages", "processes": 3, "connections": 2, **send},
        }
        plan = {"name": "t", "target": self.demo.url, "load": {"canary": "off", "scenarios": [scenario]}}
        self.plan.write_text(json.dumps(plan))  # JSON is YAML

    def start(self, *words: str) -> subprocess.Popen[str]:
        """`toolkit load`, on its way, in a group of its own."""
        argv = [sys.executable, "-m", "toolkit", "load", *words]
        argv += ["--reports", str(self.folder / "reports"), "--quiet", "--json"]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("TOOLKIT_")}
        return subprocess.Popen(
            argv,
            text=True,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def send(self, *words: str) -> tuple[int, dict[str, Any], str]:
        """`toolkit load` to its end: exit code, the entry of summary.json, what it told."""
        process = self.start(*(words or (str(self.plan),)))
        out, err = process.communicate(timeout=100)
        assert "Traceback" not in err, err
        result = json.loads(out) if out.strip() else {}
        summary = result.get("summary") or {}
        return process.returncode, (summary.get("traffic") or [{}])[0], err

    def latest(self) -> Path:
        return (self.folder / "reports" / "latest").resolve()

    def arrived(self) -> Counter[str]:
        """How often the service has each record."""
        with closing(sqlite3.connect(self.demo.database)) as database:
            rows = database.execute("SELECT id FROM messages WHERE id LIKE ?", (f"{self.name}-%",)).fetchall()
        return Counter(row[0] for row in rows)


def senders_of(pid: int, module: str = "sender.process") -> list[psutil.Process]:
    """The sending processes below a call."""
    try:
        below = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    found = []
    for child in below:
        try:
            if any(word.endswith(module) for word in child.cmdline()):
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found
