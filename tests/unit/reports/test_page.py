"""report.html as bytes: its security policy, its numbers, and what it says where something is not there."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.run_folders import RunFolderBuilder, small_run
from tests.unit.reports import sample_results
from toolkit.analysis.results import read_results
from toolkit.errors import ToolkitError
from toolkit.recording.layout import RunFolder
from toolkit.reports import page, page_numbers
from toolkit.reports.profile_pack import unpack

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.analysis.results import Results

SCRIPT = "/* built */ void 0;"
STYLE = ":root { color: black }"


@pytest.fixture(autouse=True)
def _built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for page/dist: these tests need no Node."""
    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / "page.js").write_text(SCRIPT, encoding="utf-8")
    (dist / "page.css").write_text(STYLE, encoding="utf-8")
    monkeypatch.setattr(page, "DIST", dist)


class Parsed(HTMLParser):
    """The page as a browser splits it: elements with attributes, and the text of each element by its path."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.blocks: list[tuple[str, dict[str, str | None], str]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in {"script", "style"}:
            self.blocks.append((tag, dict(attrs), ""))

    def handle_data(self, data: str) -> None:
        tag, attributes = self.elements[-1] if self.elements else ("", {})
        if tag in {"script", "style"} and self.blocks[-1][2] == "":
            self.blocks[-1] = (tag, attributes, data)
        elif data.strip():
            self.words.append(data.strip())

    def block(self, name: str) -> bytes:
        """What a data block holds, still compressed."""
        return base64.b64decode(next(text for _, given, text in self.blocks if given.get("id") == name))

    @property
    def timeline(self) -> Any:
        return json.loads(gzip.decompress(self.block("timeline")))["timeline"]


def rendered(results: Results) -> str:
    [(path, content)] = page.render(results)
    assert path == "report.html"
    return content.decode()


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_policy_allows_exactly_what_the_page_carries() -> None:
    parsed = Parsed(rendered(sample_results.whole()))
    policy = next(
        attributes["content"] or ""
        for tag, attributes in parsed.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    scripts = [
        text for tag, attributes, text in parsed.blocks if tag == "script" and "type" not in attributes
    ]
    styles = [text for tag, _, text in parsed.blocks if tag == "style"]
    assert scripts == [SCRIPT]
    assert styles[0].startswith(STYLE)
    assert rules == {
        "default-src": "'none'",
        "script-src": digest(scripts[0]),
        "style-src": digest(styles[0]),
        "base-uri": "'none'",
        "form-action": "'none'",
    }


@pytest.mark.parametrize("run", [sample_results.whole, sample_results.hostile])
def test_nothing_inline_and_nothing_from_outside(run: Callable[[], Results]) -> None:
    for tag, attributes in Parsed(rendered(run())).elements:
        assert tag not in {"img", "link", "iframe", "object", "embed", "base", "form"}
        assert not [
            name for name in attributes if name.startswith("on") or name in {"style", "src", "srcdoc"}
        ]
        assert not (attributes.get("href") or "#").startswith(("http", "javascript", "//"))


def test_hostile_names_are_text_in_markup_and_in_data() -> None:
    html = rendered(sample_results.hostile())
    parsed = Parsed(html)
    assert [tag for tag, _ in parsed.elements].count("script") == 3  # two blocks of data and one script
    shown = sample_results.HOSTILE.replace("\u202e", r"\u202e")
    assert any(shown in words for words in parsed.words)
    assert "\u202e" not in html
    assert parsed.timeline["phases"][0]["name"] == shown


def test_the_profile_travels_whole(tmp_path: Path) -> None:
    results = read_results(small_run(tmp_path))
    found = unpack(Parsed(rendered(results)).block("profile"))
    assert found.servers == ["app"]
    assert found.views == ["wall", "cpu"]
    assert found.entry_counts == results.profile.entry_counts


def test_still_flamegraphs_are_for_readers_without_scripts() -> None:
    html = rendered(sample_results.whole())
    inside = "".join(part.split("</noscript>", 1)[0] for part in html.split("<noscript>")[1:])
    # There is room for no more; single workers have a file alone.
    assert inside.count('class="flamegraph"') == 2
    unstarted = html.split('class="unstarted"')[2].split("</div>")[0]
    assert unstarted.count("<a href=") == 12
    assert "list_appointments (/srv/shop/app/views.py:46)" in inside
    assert "<script" not in inside


def test_what_is_missing_is_in_the_summary() -> None:
    words = Parsed(rendered(sample_results.whole())).words
    assert (
        words.index("Summary")
        < words.index("What is missing")
        < words.index("Requests", words.index("Users"))
    )
    assert "Server web-2: the cpu view lost 2 of 15 chunks." in words


def test_a_run_that_must_not_be_used_says_so_before_anything_else() -> None:
    run = sample_results.whole()
    trust = {
        "verdict": "invalid",
        "reasons": ["the generator was at its limit"],
        "rows": [{"name": "Canary", "value": None, "tone": "strange", "words": sample_results.HOSTILE}],
    }
    words = Parsed(rendered(replace(run, summary={**run.summary, "trust": trust}))).words
    at = words.index("Do not use the numbers of this run.")
    assert words[at + 1] == "the generator was at its limit"
    assert at < words.index("Summary", at)
    assert "Canary" in words


def test_the_head_says_what_ran_and_how_it_ended() -> None:
    words = Parsed(rendered(sample_results.whole())).words
    for expected in (
        "checkout-peak",
        "a check did not hold",
        "20261119T095320Z-checkout-peak",
        "2026-11-18 11:06:36 UTC",
        "82.0 s",
        "https://shop.example",
        "web-1 (ssh://deploy@web-1.example), web-2 (ssh://deploy@web-2.example)",
    ):
        assert expected in words


@pytest.mark.parametrize(
    ("run", "command"),
    [
        (sample_results.whole, "profile-and-load"),
        (sample_results.load_alone, "load"),
        (sample_results.profile_alone, "profile"),
    ],
)
def test_it_says_how_to_do_it_again(run: Callable[[], Results], command: str) -> None:
    results = replace(run(), run=RunFolder(Path("elsewhere/20261119T095320Z-checkout-peak")))
    words = Parsed(rendered(results)).words
    assert f"python -m toolkit {command} elsewhere/20261119T095320Z-checkout-peak/plan.yml" in words
    assert "python -m toolkit report elsewhere/20261119T095320Z-checkout-peak" in words


def test_of_a_run_that_lies_elsewhere_it_says_where(tmp_path: Path) -> None:
    results = replace(sample_results.whole(), run=RunFolder(tmp_path / "a run"))
    assert f"python -m toolkit report '{tmp_path}/a run'" in Parsed(rendered(results)).words


def test_the_charts_count_seconds_from_the_first() -> None:
    timeline = Parsed(rendered(sample_results.whole())).timeline
    assert timeline["start"] == sample_results.START
    assert (timeline["first"], timeline["step"], timeline["count"]) == (0, 1, sample_results.SECONDS)
    assert {len(column) for column in timeline["columns"].values()} == {sample_results.SECONDS}
    assert timeline["phases"][1] == {"scenario": "http", "name": "peak", "start": 20, "end": 60}


def test_a_run_without_load_has_no_request_and_no_chart() -> None:
    html = rendered(sample_results.profile_alone())
    parsed = Parsed(html)
    ids = {attributes.get("id") for _, attributes in parsed.elements}
    assert "No load was driven in this run: it is a profile alone." in parsed.words
    assert ids.isdisjoint({"time", "axis", "requests", "errors"})
    assert "flames" in ids


def test_a_run_without_servers_has_no_flamegraph() -> None:
    ids = {attributes.get("id") for _, attributes in Parsed(rendered(sample_results.load_alone())).elements}
    assert ids.isdisjoint({"flames", "servers", "missing-h"})
    assert {"time", "requests", "errors"} <= ids


def test_a_run_that_was_killed_says_so() -> None:
    run = sample_results.whole()
    manifest = replace(run.manifest, outcome="running", ended_ns=0, exit_code=None, reason="")
    words = Parsed(rendered(replace(run, manifest=manifest))).words
    assert "not ended" in words
    assert "did not end" in words


def test_the_same_run_gives_the_same_bytes() -> None:
    assert rendered(sample_results.whole()) == rendered(sample_results.whole())


def test_a_real_run_folder_becomes_a_page(tmp_path: Path) -> None:
    results = read_results(small_run(tmp_path))
    words = Parsed(rendered(results)).words
    for row in results.summary["requests"]:
        assert row["name"] in words
    assert f"{results.summary['totals']['count']:,}" in words
    assert len(results.flames) > 1


def test_the_failed_are_counted_once_in_the_figure_and_in_the_chart(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.load("http", sample_results.failing_requests())
    parsed = Parsed(rendered(read_results(builder.build())))

    at = parsed.words.index("Failed")
    assert parsed.words[at + 1 : at + 3] == ["13", "6 no answer, 5 4xx, 2 failed checks"]
    columns = parsed.timeline["columns"]
    drawn = {name: sum(columns[name]) for name in ("status_4xx", "status_5xx", "errors", "checks_alone")}
    assert drawn == {"status_4xx": 5, "status_5xx": 0, "errors": 6, "checks_alone": 2}


def test_an_unbuilt_page_names_the_command_that_builds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "DIST", tmp_path / "nowhere")
    with pytest.raises(ToolkitError, match=r"python -m toolkit\.reports\.page_build"):
        list(page.render(sample_results.whole()))


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.0, "0.00"), (1.234, "1.23"), (45.67, "45.7"), (412.4, "412"), (12_345.6, "12,346")],
)
def test_milliseconds(value: float, written: str) -> None:
    assert page_numbers.milliseconds(value) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0 B"),
        (532.4, "532 B"),
        (1500, "1.5 kB"),
        (999_600, "1.0 MB"),
        (2.5e9, "2.5 GB"),
        (7.1e15, "7,100.0 TB"),
    ],
)
def test_sizes(value: float, written: str) -> None:
    assert page_numbers.size(value) == written


def test_columns_that_say_nothing_are_left_out() -> None:
    summary = sample_results.whole().summary
    one_load = [row for row in summary["requests"] if row["load"] == "socket"]
    names = [column["name"] for column in page_numbers.request_table({"requests": one_load})["columns"]]
    assert "No answer" in names
    assert not {"Load", "4xx", "5xx", "Failed checks"} & set(names)
