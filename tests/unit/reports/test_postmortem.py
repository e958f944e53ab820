"""postmortem.md: what it says, what it must never become, and templates of the user's own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt

from tests.run_folders import RunFolderBuilder, failed, request, small_run
from toolkit.analysis.results import read_results
from toolkit.errors import ToolkitError, UsageError
from toolkit.reports.postmortem.document import render, written
from toolkit.reports.postmortem.markdown import block, code, link, plain
from toolkit.reports.postmortem.own_template import read_template
from toolkit.reports.postmortem.timeline import timeline
from toolkit.reports.rebuild import rebuild

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.recording.layout import RunFolder


def text_of(run: RunFolder) -> str:
    """The document."""
    ((name, content),) = render(read_results(run))
    assert name == "postmortem.md"
    return content.decode()


def test_it_has_every_part_and_links_into_the_page(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    assert rebuild(run) == []
    text = run.postmortem.read_text()
    for part in (
        "Summary",
        "Impact",
        "Timeline",
        "Findings",
        "Ruled out",
        "Open questions",
        "To run it again",
    ):
        assert f"\n## {part}\n" in text
    page = run.page.read_text()
    for row in json.loads(run.summary_json.read_text())["findings"]["found"]:
        assert f"(report.html#{row['id']})" in text
        assert f'<li id="{row["id"]}"' in page
    assert f"    python -m toolkit report {run.path}" in text
    assert "postmortem.md" in run.checksums.read_text()


def test_the_first_of_each_failure_stands_in_the_timeline(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    rows = [request(1 + at / 10, 5) for at in range(20)]
    rows += [request(4, 5, status=504), request(5, 5, status=504), failed(3, "ETIMEDOUT")]
    builder.load("http", rows)
    said = [row["words"] for row in timeline(read_results(builder.build()))[0] if row["kind"] == "failure"]
    assert said == ["first ETIMEDOUT (load data), the only one", "first 504 (load data), one of 2"]


def timeline_of_a_504(folder: Path, busy_before_s: int, uncertain_s: int | None = None) -> list[str]:
    """All workers were busy so long before the first 504, or up to `uncertain_s` before that."""
    builder = RunFolderBuilder(folder)
    builder.load("http", [request(1, 5), request(9, 5, status=504)])
    results = read_results(builder.build())
    began = results.first_failures[0]["first_ns"] - busy_before_s * 10**9
    moment = {"t_ns": began, "server": "web", "what": "all_busy", "words": "all 4 workers were busy"}
    if uncertain_s is not None:
        moment["earliest_ns"] = began - uncertain_s * 10**9
    results.summary["findings"]["moments"] = [moment]
    return [row["words"] for row in timeline(results)[0]]


def test_a_failure_names_what_was_so_before_it(tmp_path: Path) -> None:
    said = timeline_of_a_504(tmp_path, 4)
    assert "first 504 (load data), the only one, 4 s after all 4 workers were busy" in said
    assert "all 4 workers were busy for the first time" in said


@pytest.mark.parametrize(
    ("first_s", "said"), [(4, "4 to 9 s after"), (0, "at most 5 s after"), (-2, "at most 3 s after")]
)
def test_a_moment_that_is_not_known_to_the_second_is_told_so(tmp_path: Path, first_s: int, said: str) -> None:
    words = timeline_of_a_504(tmp_path, first_s, uncertain_s=5)
    assert f"first 504 (load data), the only one, {said} all 4 workers were busy" in words
    assert any("for the first time at the latest (up to 5 s before: stacks are" in one for one in words)


def test_a_run_of_nothing_says_so(tmp_path: Path) -> None:
    text = text_of(RunFolderBuilder(tmp_path).build())
    assert "No request was recorded" in text
    assert "No load was measured." in text


HOSTILE = "<script>alert(1)</script> [x](http://evil.example) ![i](//e) a|b `c` *d* _e_ # f\n# heading\n- item\u202e @me https://x.example"


def test_text_of_the_run_stays_text(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.load("http", [request(1, 5, name=HOSTILE), failed(2, HOSTILE, name=HOSTILE)])
    text = text_of(builder.build())
    assert "<script" not in text.replace("\\<", "")
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    flat = [*tokens, *(child for token in tokens for child in token.children or [])]
    assert {token.type for token in flat} & {"html_block", "html_inline", "image"} == set()
    links = {str(token.attrs["href"]) for token in flat if token.type == "link_open"}
    assert links
    assert all(target.startswith(("report.html", "summary.txt")) for target in links), links
    assert "https://x" not in text
    assert "@me" not in text
    assert "\u202e" not in text
    assert not [line for line in text.splitlines() if line.startswith(("# heading", "- item"))]
    rows = [line for line in text.splitlines() if "alert" in line and line.startswith("|")]
    assert rows
    assert {line.replace("\\|", "").count("|") for line in rows} <= {3, 6}, "no cell ends early"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a_b*c", "a\\_b\\*c"),
        ("- x", "\\- x"),
        ("-00:00:05", "-00:00:05"),
        ("1. x", "1\\. x"),
        ("1.5 s", "1.5 s"),
        ("f (g.py:1)", "f (g.py:1)"),
        ("a\n\n# b", "a \\# b"),
        ("\\", "\\\\"),
        (None, ""),
        (3, "3"),
    ],
)
def test_marks_are_escaped(text: object, said: str) -> None:
    assert plain(text) == said
    assert plain(plain(text)) == said, "once"


def test_code_and_links_cannot_be_left() -> None:
    assert code("a`b``c") == "```a`b``c```"
    assert code("`") == "`` ` ``"
    assert "|" not in code("a|b")
    assert block("a\nb") == "    a\n    b"
    assert link("a]b", "report.html#x y)") == "[a\\]b](report.html#x%20y%29)"


def test_a_template_of_the_users_own_is_taken(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    own = tmp_path / "own.md.j2"
    own.write_text(
        "Run {{ run.id }}: {{ impact.requests }}{% for one in findings %}, {{ one.title }}{% endfor %}\n"
    )
    assert rebuild(run, postmortem_template=read_template(own)) == []
    assert run.postmortem.read_text().startswith("Run small: 111, 1 request got no answer")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fine\n{% for x in %}\n", "line 2"),
        ("{{ a | nothing }}", "No filter named 'nothing'"),
        ("{% if a %}", "line 1"),
    ],
)
def test_a_template_that_is_none_is_named_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    own = tmp_path / "own.md.j2"
    own.write_text(text)
    with pytest.raises(UsageError, match=words):
        read_template(own)


def test_a_template_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be read: No such file"):
        read_template(tmp_path / "none")
    assert read_template(None) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ok\n\n{{ nobody.knows }}", "line 3: 'nobody' is undefined"),
        ("{{ ''.__class__.__mro__ }}", "line 1: .*unsafe"),
        ("\n{{ 1 / 0 }}", "line 2: division by zero"),
        ("{{ '%d' | format('x') }}", "line 1"),
    ],
)
def test_a_template_that_fails_costs_the_postmortem_alone(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ToolkitError, match=f"The template own.j2, {words}"):
        written("own.j2", text, {})
    run = small_run(tmp_path)
    (problem,) = rebuild(run, postmortem_template=("own.j2", text))
    assert problem.startswith("postmortem: The template own.j2, line")
    assert run.page.exists()
    assert not run.postmortem.exists()
