"""What a proxy in front answered, and which tracebacks it is not to be laid to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.joined_runs import JoinedRun
from tests.run_folders import request

if TYPE_CHECKING:
    from pathlib import Path

PLACE = "broker/client.py:61 publish"


def _behind_a_proxy(root: Path, **traceback: Any) -> JoinedRun:
    """Gunicorn's log was followed, and holds a request that took ten seconds."""
    run = JoinedRun(root)
    run.access_log()
    run.access(11, "GET", "/slow", 200, duration_ms=10_000)
    run.access(70, "GET", "/data", 200, duration_ms=5)
    run.traceback(
        5, "KeyError", PLACE, text="2026-11-21 05:08:20,203 ERROR shop: retrying\nTraceback", **traceback
    )
    return run


def _proxied(run: JoinedRun, requests: list[dict[str, Any]]) -> dict[str, Any]:
    (row,) = [row for row in run.join(requests) if row["status"] == 504]
    return row


SLOW = request(1, 10_000, url="http://127.0.0.1:8000/slow", name="slow")
LAST = request(69.9, 100)


@pytest.mark.parametrize("start_s", [3, 4.995], ids=["before it was raised", "as it was raised"])
def test_what_a_proxy_answered_alone_stands_beside_nobodys_traceback(tmp_path: Path, start_s: float) -> None:
    run = _behind_a_proxy(tmp_path)

    row = _proxied(run, [request(start_s, 10, status=504), SLOW, LAST])

    assert (row["what"], row["fingerprint"]) == ("none", None), "the server has no line of it"
    assert run.errors.summary["unseen"]["by_server"]["count"] == 1


def test_a_request_without_a_line_may_have_raised_where_gunicorn_itself_handled_that(tmp_path: Path) -> None:
    run = _behind_a_proxy(tmp_path, event="request_failed")

    row = _proxied(run, [request(4.8, 300, status=504), SLOW, LAST])

    assert row["what"] == "traceback", "gunicorn writes no access line of it"


def test_what_a_proxy_gave_up_and_the_server_answered_well_comes_before_a_traceback_of_anybody(
    tmp_path: Path,
) -> None:
    run = _behind_a_proxy(tmp_path)
    run.access(6, "GET", "/data", 200, duration_ms=3000)
    others = [request(4, 2000), request(4.1, 2000)]

    row = _proxied(run, [request(3, 1000, status=504), SLOW, LAST, *others])

    assert (row["what"], row["access_status"]) == ("proxy", 200)


def test_what_the_server_answered_well_stands_beside_no_traceback_of_that_time(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    run.access(3, "GET", "/data", 200, request_id="r", duration_ms=2000)
    run.traceback(2.5, "KeyError", PLACE)

    (row,) = run.join([request(1, 1000, status=504, request_id="r")])

    assert (row["what"], row["what_certainty"], row["fingerprint"]) == ("proxy", "certain", None)
    assert "whose own answer was 200" in run.errors.summary["explanations"][0]["sentence"]


def test_what_was_refused_at_once_has_no_traceback_even_of_gunicorns_own(tmp_path: Path) -> None:
    run = _behind_a_proxy(tmp_path, event="request_failed")

    row = _proxied(run, [request(4.995, 10, status=504), SLOW, LAST])

    assert (row["what"], row["fingerprint"]) == ("none", None)


def test_a_quoted_traceback_takes_nobody_from_those_that_were_never_seen(tmp_path: Path) -> None:
    run = _behind_a_proxy(tmp_path, event="request_failed", perhaps_quoted=True)

    row = _proxied(run, [request(4.8, 300, status=504), SLOW, LAST])

    assert (row["what"], row["fingerprint"]) == ("none", None)


def test_a_traceback_is_no_surer_than_the_line_by_which_it_came(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    run.access(3, "GET", "/data", 500)
    run.access(3.1, "GET", "/data", 500)
    run.traceback(2.99, "KeyError", PLACE, url_path="/data", method="GET")
    run.traceback(3.09, "KeyError", PLACE, url_path="/data", method="GET")

    rows = run.join([request(1, 1000, status=504), request(1.1, 1000, status=504)])

    assert {(row["what"], row["why"], row["what_certainty"]) for row in rows} == {
        ("proxy", "raised_later", "ambiguous")
    }
