"""The drawing: its numbers are the samples', it is XML whatever a service calls its functions, it is the same each time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from toolkit.analysis.results import Flame, Results
from toolkit.recording.layout import RunFolder
from toolkit.recording.manifest import Manifest
from toolkit.reports import flamegraphs
from toolkit.reports.flamegraph_svg import render_svg

if TYPE_CHECKING:
    from collections.abc import Iterable

SVG = "{http://www.w3.org/2000/svg}"
APP = "/srv/app/orders/views.py"
STACKS = [
    (("main (/srv/app/wsgi.py:3)", f"list_orders ({APP}:12)", f"encode ({APP}:40)"), 600),
    (("main (/srv/app/wsgi.py:3)", f"list_orders ({APP}:12)"), 150),
    (("main (/srv/app/wsgi.py:3)", f"create ({APP}:77)"), 250),
]
HOSTILE = [
    "</script><script>alert(1)</script>",
    "]]>",
    "<img src=x onerror=alert(1)>",
    "'\"&amp;<>",
    "\x00\x08\x1b[31m\ud800\ufffe",
    "user\u202egpj.exe\u2066",
    "line\nbreak\r\n\ttab",
    "x" * 10_000,
]


def draw(stacks: Iterable[tuple[tuple[str, ...], int]], **changes: Any) -> str:
    given = {"title": "web: wall time, all workers", "seconds_per_count": 0.001, **changes}
    return render_svg(stacks, **given)


def frames(svg: str) -> dict[str, ET.Element]:
    """The drawn frames by the label in their tooltip."""
    root = ET.fromstring(svg)
    groups = [group for group in root.iter(f"{SVG}g") if group.get("data-f")]
    return {(group.findtext(f"{SVG}title") or "").split("\n")[0]: group for group in groups}


def width(group: ET.Element) -> float:
    rect = group.find(f"{SVG}rect")
    assert rect is not None
    return float((rect.get("width") or "").removesuffix("%"))


def words(svg: str) -> str:
    return " ".join("".join(text.itertext()) for text in ET.fromstring(svg).iter(f"{SVG}text"))


def test_a_frame_is_as_wide_as_its_share_and_says_its_seconds() -> None:
    drawn = frames(draw(STACKS))
    assert len(drawn) == 5
    assert width(drawn["all"]) == width(drawn["main (/srv/app/wsgi.py:3)"]) == 100
    assert width(drawn[f"list_orders ({APP}:12)"]) == pytest.approx(75)
    assert width(drawn[f"encode ({APP}:40)"]) == pytest.approx(60)
    assert width(drawn[f"create ({APP}:77)"]) == pytest.approx(25)
    said = drawn[f"list_orders ({APP}:12)"].findtext(f"{SVG}title")
    assert said == f"list_orders ({APP}:12)\ntotal 0.750 s (75.00 %), self 0.150 s (15.00 %)"


def test_the_root_is_at_the_bottom_and_children_lie_on_their_parent() -> None:
    drawn = frames(draw(STACKS))

    def bottom(label: str) -> float:
        rect = drawn[label].find(f"{SVG}rect")
        assert rect is not None
        return float(rect.get("y") or "nan")

    assert (
        bottom("all")
        > bottom("main (/srv/app/wsgi.py:3)")
        > bottom(f"create ({APP}:77)")
        > bottom(f"encode ({APP}:40)")
    )


def test_a_frame_shows_the_function_and_the_end_of_its_path() -> None:
    assert frames(draw(STACKS))[f"create ({APP}:77)"].findtext(f"{SVG}text") == "create (views.py:77)"


def test_narrow_frames_go_and_their_share_is_said() -> None:
    narrow = [((f"rare{number} (a.py:1)",), 1) for number in range(20)]
    svg = draw([(("often (a.py:1)",), 1980), (("often (a.py:1)", "borderline (a.py:2)"), 2), *narrow])
    assert set(frames(svg)) == {"all", "often (a.py:1)"}
    assert "frames narrower than 0.1 % are not drawn: 1.10 % of the time" in words(svg)


def test_nothing_pruned_nothing_said() -> None:
    assert "not drawn" not in words(draw(STACKS))


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda name: repr(name)[:20])
def test_hostile_names_stay_text(hostile: str) -> None:
    svg = draw([((f"{hostile} ({hostile}.py:1)", hostile), 5)], title=hostile, detail=hostile, note=hostile)
    svg.encode()
    root = ET.fromstring(svg)
    kinds = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert kinds <= {"svg", "g", "rect", "text", "title", "style", "script"}
    assert len(root.findall(f".//{SVG}script")) == 1
    assert len(frames(svg)) == 3
    assert not any(mark in svg for mark in "\u202e\u2066")
    assert len(svg) < 60_000


def test_the_same_stacks_give_the_same_bytes() -> None:
    assert draw(STACKS) == draw(list(reversed(STACKS)))


def test_no_ids_so_that_several_can_stand_in_one_page() -> None:
    assert not [element for element in ET.fromstring(draw(STACKS)).iter() if element.get("id")]


@pytest.mark.parametrize("stacks", [[], [(("a",), 0)]])
def test_no_samples_is_a_drawing_that_says_why(stacks: list[tuple[tuple[str, ...], int]]) -> None:
    said = words(draw(stacks, note="The recorder was refused: ptrace_scope is 3."))
    assert "No samples" in said
    assert "ptrace_scope is 3" in said


def test_the_bare_drawing_leaves_style_and_script_to_the_page() -> None:
    bare = draw(STACKS, bare=True)
    assert "<style" not in bare
    assert "<script" not in bare
    assert frames(bare).keys() == frames(draw(STACKS)).keys()


def test_a_drawing_of_many_stacks_stays_small() -> None:
    stacks = [
        (
            tuple(
                f"f{level}_{(number * 7919 + level * number) % (level + 2)} (app/m{level}.py:{level})"
                for level in range(30)
            ),
            3,
        )
        for number in range(2_000)
    ]
    assert len(draw(stacks)) < 2_000_000


def test_the_renderer_names_a_file_for_each_server_view_and_worker() -> None:
    stacks = [(frames, count * 1000) for frames, count in STACKS]  # microseconds
    flames = [
        Flame("web", "wall", None, "web: wall time", 60.0, 20.0, stacks, ""),
        Flame(
            "web",
            "wall",
            4711,
            "web: wall time, worker 4711",
            60.0,
            20.0,
            stacks,
            "Recorded for half of the run.",
        ),
        Flame("../web", "cpu", None, "", 60.0, 20.0, stacks, ""),
    ]
    run = Results(RunFolder(Path("unused")), Manifest("r", "p", "profile", 0), {}, flames=flames)
    files = dict(flamegraphs.render(run))
    assert sorted(files) == [
        "flamegraphs/__web-cpu.svg",
        "flamegraphs/web-wall-worker-4711.svg",
        "flamegraphs/web-wall.svg",
    ]
    said = words(files["flamegraphs/web-wall-worker-4711.svg"].decode())
    assert "web: wall time, worker 4711" in said
    assert "recorded for 60.0 s at 20 Hz · 1.000 s sampled" in said
    assert "Recorded for half of the run." in said
