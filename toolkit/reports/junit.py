"""Renderer: junit.xml, which CI systems show: a case a check, a suite a scenario, and one for the servers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from toolkit.reports.terminal_text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.analysis.results import Results


def render(results: Results) -> Iterator[tuple[str, bytes]]:
    """Yield `junit.xml`, valid by Jenkins's schema and by Ant's; nothing of a run that was not checked."""
    rows = results.summary["checks"]["rows"]
    if not rows:
        return
    suites = ElementTree.Element("testsuites")
    for number, name in enumerate(dict.fromkeys(row["suite"] for row in rows)):
        of_suite = [row for row in rows if row["suite"] == name]
        suites.append(_suite(number, name, of_suite, results))
    ElementTree.indent(suites)
    text = ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True)
    yield results.run.junit.name, text + b"\n"


def _suite(number: int, name: str, rows: list[dict[str, Any]], results: Results) -> ElementTree.Element:
    manifest = results.manifest
    plan = printable(manifest.plan_name)
    suite = ElementTree.Element(
        "testsuite",
        {
            "name": printable(name),
            "package": plan,
            "id": str(number),
            "timestamp": _at(manifest.started_ns),
            "hostname": "localhost",
            "tests": str(len(rows)),
            "failures": str(_count(rows, "failed")),
            "errors": "0",
            "skipped": str(_count(rows, "skipped")),
            "time": _seconds(results),
        },
    )
    properties = ElementTree.SubElement(suite, "properties")
    for key, value in (("run", manifest.run_id), ("target", manifest.target)):
        if value:
            ElementTree.SubElement(properties, "property", {"name": key, "value": printable(value)})
    for row in rows:
        suite.append(_case(row, f"{plan}.{printable(name)}"))
    ElementTree.SubElement(suite, "system-out")
    ElementTree.SubElement(suite, "system-err")
    return suite


def _case(row: dict[str, Any], classname: str) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase", {"name": printable(row["name"]), "classname": classname, "time": "0"}
    )
    reason = printable(row["reason"])
    if row["verdict"] == "failed":
        failure = ElementTree.SubElement(case, "failure", {"message": reason, "type": "check"})
        failure.text = f"{printable(row['check'])}\n{reason}"
    elif row["verdict"] == "skipped":
        ElementTree.SubElement(case, "skipped", {"message": reason})
    return case


def _count(rows: list[dict[str, Any]], verdict: str) -> int:
    return sum(row["verdict"] == verdict for row in rows)


def _seconds(results: Results) -> str:
    return f"{results.summary['run']['duration_s'] or 0:.3f}"


def _at(nanoseconds: int) -> str:
    """Without a zone, as the schema wants it; UTC."""
    try:
        return datetime.fromtimestamp(nanoseconds // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    except (OverflowError, OSError, ValueError):
        return "1970-01-01T00:00:00"
