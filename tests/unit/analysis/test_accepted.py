"""A status of 400 or more that the scenario takes for right: no failure in any figure, and no other status than it was."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.run_folders import SECOND_NS, START_NS, RunFolderBuilder, failed, request
from toolkit.analysis.results import read_results
from toolkit.analysis.tables import open_tables
from toolkit.engines.live import LiveTail
from toolkit.run.live_checks import LiveChecks

if TYPE_CHECKING:
    from pathlib import Path

REFUSED = {"name": "must fail", "status": 409}
ROWS = [
    request(1, 10),
    request(1, 10, **REFUSED, accepted=True),
    request(1, 10, **REFUSED, accepted=True),
    request(1, 10, **REFUSED),
    request(1, 10, **REFUSED, accepted=True, error="the basket is not empty any more"),
    failed(1, "ECONNRESET", name="must fail", accepted=True),
]


def test_it_is_a_success_in_every_figure(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.load("http", ROWS)
    run = builder.build()
    results = read_results(run)
    row = next(one for one in results.summary["requests"] if one["name"] == "must fail")
    assert {name: row[name] for name in ("count", "failed", "errors", "failed_checks", "status_4xx")} == {
        "count": 5,
        "failed": 3,
        "errors": 1,
        "failed_checks": 1,
        "status_4xx": 2,
    }
    assert results.summary["totals"]["failed"] == 3
    assert results.summary["codes"] == {"200": 1, "409": 4}
    assert (sum(results.series["accepted"]), sum(results.series["status_4xx"])) == (2, 2)
    assert sum(results.series["failed"]) == 3
    with open_tables(run) as connection:
        joined = connection.execute("SELECT count(*) FROM joined WHERE failed").fetchone()
    assert joined == (3,)


def test_tables_that_an_older_toolkit_built_are_built_anew(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.load("http", ROWS)
    run = builder.build()
    with open_tables(run) as connection:
        older = tmp_path / "older.parquet"
        connection.sql("SELECT * EXCLUDE (failed, accepted) FROM requests").write_parquet(str(older))
    older.replace(run.tables / "requests.parquet")
    with open_tables(run) as connection:
        assert connection.execute("SELECT count(*) FROM requests WHERE failed").fetchone() == (3,)


@pytest.mark.parametrize("where", ["after the error", "at the end"])
def test_the_load_that_runs_is_told_of_in_the_same_way(tmp_path: Path, where: str) -> None:
    parts = tmp_path / "parts"
    parts.mkdir()
    lines = [json.dumps({"schema": 1, "kind": "requests"})]
    for row in ROWS:
        kept = {name: value for name, value in row.items() if name != "accepted"}
        text = json.dumps(kept, separators=(",", ":"))
        if row.get("accepted"):
            before = ',"bytes_in"' if where == "after the error" else "}"
            text = text.replace(before, ',"accepted":true' + before)
        lines.append(text)
    (parts / "main.jsonl").write_text("\n".join(lines) + "\n")
    counts = LiveTail(parts).poll()
    assert (counts.requests, counts.failed) == (6, 3 if where == "after the error" else 5)


def test_a_check_that_is_looked_at_meanwhile_counts_as_the_report_does(tmp_path: Path) -> None:
    entry: dict[str, Any] = {
        "check": "http.errors rate < 30% over 5s",
        "name": "errors",
        "abort": True,
        "default": False,
    }
    for accepted, fails in ((True, False), (False, True)):
        rows = [
            request(at / 10, 10, status=409, **({"accepted": True} if accepted else {})) for at in range(100)
        ]
        live = LiveChecks([entry])
        taker = live.taker(RunFolderBuilder(tmp_path / str(accepted)).run.load("http"))
        assert taker is not None
        taker(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
        assert bool(list(live.look(START_NS + 60 * SECOND_NS))) is fails
