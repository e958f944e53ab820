"""The canary's requests in the servers' logs: of no request of the load, and no traffic that the load never saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.joined_runs import JoinedRun
from tests.run_folders import request
from toolkit.analysis.joins.findings import _without_canary
from toolkit.recording.records import CANARY_AGENT

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

COMMON = '127.0.0.1 - - [21/Nov/2026:14:30:02 +0000] "GET /data HTTP/1.1" 200 100 "-" "{}"'


@pytest.mark.parametrize("carries_ids", [True, False])
def test_its_lines_are_known_by_its_name(tmp_path: Path, carries_ids: bool) -> None:
    run = JoinedRun(tmp_path)
    for nth in range(5):  # it asks the same address at the same time, and is answered alike
        its = f"{CANARY_AGENT}-run-{nth}"
        text = f"GET /data 200 {its}" if carries_ids else COMMON.format(CANARY_AGENT)
        run.access(2.0 + nth / 1000, "GET", "/data", 200, text=text, request_id=its if carries_ids else None)
    run.access(2.0, "GET", "/data", 200, text="GET /data 200 node", request_id="r-1" if carries_ids else None)
    run.access(2.0, "GET", "/other", 200, text="GET /other 200 somebody else")
    (joined,) = run.join([request(1.99, 10, request_id="r-1")])
    assert joined["position"] == 500, "the line of the load, not one of the canary's"
    assert (joined["joined_by"], joined["candidates"]) == ("id" if carries_ids else "time", 1)
    seen = run.errors.summary["unseen"]["by_client"]
    assert (seen["count"], [path["path"] for path in seen["paths"]]) == (1, ["/other"])


def line(method: str, path: str, lines: int, whose: str = "other") -> dict[str, Any]:
    return {"whose": whose, "method": method, "path": path, "lines": lines}


@pytest.mark.parametrize(
    ("lines", "asked", "left"),
    [
        # a log that tells neither who asked nor by which id
        ([line("GET", "/", 620), line("GET", "/x", 3)], 600, [line("GET", "/", 20), line("GET", "/x", 3)]),
        ([line("GET", "/", 500)], 600, []),
        # one that does: nothing is taken twice
        ([line("GET", "/", 600, "canary"), line("GET", "/", 7)], 600, [line("GET", "/", 7)]),
        ([line("POST", "/", 5), line("GET", "/x", 5)], 600, [line("POST", "/", 5), line("GET", "/x", 5)]),
        ([line("GET", "/", 5)], 0, [line("GET", "/", 5)]),
    ],
)
def test_where_a_log_does_not_tell_they_are_counted_out(lines: Any, asked: int, left: Any) -> None:
    assert _without_canary(lines, ("/", asked)) == left
