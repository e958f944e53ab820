"""The section "Errors" of summary.txt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.joined_runs import JoinedRun
from tests.run_folders import request, small_run
from tests.unit.reports.sample_results import HOSTILE
from toolkit.analysis.results import read_results
from toolkit.reports.summary_errors import error_lines
from toolkit.reports.summary_text import render

if TYPE_CHECKING:
    from pathlib import Path

PLACE = "broker/client.py:61 publish"


def section(run: JoinedRun, requests: list[dict[str, Any]]) -> list[str]:
    run.join(requests)
    return error_lines({"server_errors": run.errors.summary})


def test_sentences_come_first_then_the_frames_of_the_tracebacks_and_who_saw_what(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    run.access(1.01, "GET", "/data", 200, request_id="fine", duration_ms=8)
    run.access(1.2, "GET", "/health", 200)
    run.traceback(2.01, "TimeoutError", PLACE, request_id="bad")

    lines = section(
        run,
        [
            request(1, 12, request_id="fine"),
            request(2, 12, status=504, request_id="bad"),
            request(3, 12, status=504, request_id="lost"),
        ],
    )

    assert lines == [
        "",
        "Errors",
        "  2 requests got 504: 1 of them has no server line (never reached a worker), certain; 1 stands beside this traceback "
        "(TimeoutError at broker/client.py:61 publish), certain: by request id.",
        "  Traceback, once, beside 1 request: TimeoutError at broker/client.py:61 publish",
        "      /srv/broker/client.py:61 publish:1 f: x()",
        "      TimeoutError: it broke",
        "  Never seen by the server: 1 of 3 requests (GET /data 1)",
        "  Other traffic on the server during the load: 1 request (GET /health 1)",
        "",
        "Where response times were spent (msec; server: as its access log says; outside of it: queues, network, proxies)",
        "             count  server mean  p50  p95  p99  outside mean  p50  p95  p99",
        "  load data      1          8.0  8.0  8.0  8.0           4.0  4.0  4.0  4.0",
    ]


def test_only_the_most_frequent_tracebacks_are_shown(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    for number in range(10):
        for _ in range(10 - number):
            run.traceback(1, f"Error{number}", PLACE)

    lines = section(run, [request(20, 12, status=500)])

    shown = [line for line in lines if line.startswith("  Traceback,")]
    assert [line.split(": ")[-1].split()[0] for line in shown] == ["Error0", "Error1", "Error2"]
    assert "10 times, beside 0 requests" in shown[0]
    assert "  7 other tracebacks, 28 times, are in summary.json." in lines


def test_nothing_in_a_log_steers_the_terminal(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    odd = f"{HOSTILE}\x1b[2J\r\n\u202e"
    run.traceback(1.01, odd, odd, url_path="/data", message=odd)
    run.access(1.02, odd, "/" + odd, 200, file=odd)

    text = "\n".join(section(run, [request(1, 30, status=500, name=odd)]))

    assert "owned" in text
    assert not {"\x1b", "\r", "\u202e"} & set(text)


def test_a_run_in_which_nothing_failed_and_no_log_was_kept_has_no_such_section(tmp_path: Path) -> None:
    assert section(JoinedRun(tmp_path), [request(1, 12)]) == []
    assert error_lines({}) == []


def test_the_section_is_part_of_summary_txt(tmp_path: Path) -> None:
    results = read_results(small_run(tmp_path))

    ((_, content),) = render(results)

    lines = content.decode().splitlines()
    assert lines[lines.index("Errors") + 2].startswith(
        "  1 request got 504: it has no server line, as no access log"
    )
    assert results.server_errors.requests
