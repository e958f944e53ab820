"""Where checks appear: summary.txt, summary.json, the page, junit.xml, step-summary.md."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest

from tests.run_folders import RunFolderBuilder, failed, request
from tests.unit.reports.sample_results import HOSTILE
from toolkit.analysis.results import read_results
from toolkit.reports.registry import RENDERERS

if TYPE_CHECKING:
    from toolkit.analysis.results import Results

CHECKS = (
    ("http.p50{phase: warm} < 1ms", "quick"),
    ("http.p50 < 1s", HOSTILE),
    ("server.accept_queue.max < 64", "queue\x1b[31m"),
    ("http.errors{scenario: browse} < 5", "few errors"),
)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    builder = RunFolderBuilder(tmp_path_factory.mktemp("shown"))
    builder.load("http", [request(), request(2), failed(3, "ECONNRESET")])
    builder.manifest.kind = "load"
    builder.manifest.checks = [
        {"check": check, "name": name, "abort": False, "default": False} for check, name in CHECKS
    ]
    builder.manifest.loads[0].checks = [{"check": "p95 < 1", "held": False, "words": ""}]
    return read_results(builder.build())


def rendered(results: Results, name: str) -> dict[str, str]:
    (renderer,) = (one for one in RENDERERS if one.name == name)
    return {path: content.decode() for path, content in renderer.render(results)}


def test_the_summary_counts_lists_and_says_why(results: Results) -> None:
    text = rendered(results, "summary_text")["summary.txt"]
    assert "Checks: 2 of 4 did not hold, 1 not looked at" in text
    assert "  - quick: http.p50{phase: warm} was 10 ms, wanted < 1ms" in text
    assert re.search(r"!! quick +10 ms +< 1ms +failed", text)
    assert "\x1b" not in text


def test_the_summary_for_scripts_has_every_check(results: Results) -> None:
    found = json.loads(rendered(results, "summary_json")["summary.json"])["checks"]
    assert (found["verdict"], found["failed"], found["held"], found["skipped"]) == ("failed", 2, 2, 1)
    assert {
        "name",
        "check",
        "value",
        "unit",
        "verdict",
        "reason",
        "window",
        "samples",
        "of",
        "abort",
        "suite",
    } <= found["rows"][0].keys()


def test_junit_has_a_suite_a_scenario_and_a_case_a_check(results: Results) -> None:
    root = ElementTree.fromstring(rendered(results, "junit")["junit.xml"])
    suites = {suite.get("name"): suite for suite in root}
    assert root.tag == "testsuites"
    assert list(suites) == ["all scenarios", "servers", "browse", "http"]
    for suite in root:
        assert suite.tag == "testsuite"
        assert [child.tag for child in suite if child.tag != "testcase"] == [
            "properties",
            "system-out",
            "system-err",
        ]
        cases = suite.findall("testcase")
        assert int(suite.attrib["tests"]) == len(cases) > 0
        assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
        assert int(suite.attrib["skipped"]) == len(suite.findall("testcase/skipped"))
        assert suite.get("errors") == "0"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
        assert all(case.get("name") and case.get("classname") and case.get("time") for case in cases)
    (failure,) = suites["http"].findall("testcase/failure")
    assert "artillery says of http: p95 < 1" in failure.attrib["message"]


def test_junit_holds_no_character_that_xml_forbids(results: Results) -> None:
    text = rendered(results, "junit")["junit.xml"]
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202e\ud800-\udfff]", text)
    assert "queue\\x1b[31m" in text


def test_markdown_of_a_name_stays_text(results: Results) -> None:
    page = rendered(results, "step_summary")["step-summary.md"]
    assert "Checks: 2 of 4 did not hold, 1 not looked at." in page
    row = next(line for line in page.splitlines() if "owned" in line)
    assert "\\<script\\>" in row
    assert len(re.findall(r"(?<!\\)\|", row)) == 5
    assert not re.search(r"(?<!\\)[<>]", row)


def test_the_page_has_a_section_before_the_charts(results: Results) -> None:
    page = rendered(results, "page")["report.html"]
    assert (
        page.index('<section id="summary"')
        < page.index('<section id="checks"')
        < page.index('<section id="trust"')
    )
    section = page[page.index('<section id="checks"') :].partition("</section>")[0]
    assert "2 of 4 did not hold, 1 not looked at" in section
    assert "&lt;/script&gt;" in section
    assert "<script>" not in section
    assert 'href="#checks"' in page


@pytest.mark.parametrize("name", ["junit", "summary_text", "page", "step_summary"])
def test_a_run_that_was_not_checked_says_nothing_of_checks(results: Results, name: str) -> None:
    none: dict[str, Any] = {"verdict": "none", "held": 0, "failed": 0, "skipped": 0, "reason": "", "rows": []}
    unchecked = replace(results, summary={**results.summary, "checks": none})
    for text in rendered(unchecked, name).values():
        assert "Checks" not in text
        assert name != "junit"
