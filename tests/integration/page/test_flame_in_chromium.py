"""The flamegraph view in a real Chromium: what it adds up is what Python adds up, and a reader can use it. See `flame_*.mjs`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.integration.page import flame_demo
from tests.integration.page.sample_profile import sample_profile
from tests.packed_profiles import PackSource
from toolkit.analysis.windows import Selection, Stacks, recorded_seconds, stacks_of_window, window_times
from toolkit.analysis.windows_difference import Side, compare
from toolkit.analysis.windows_frames import Naming
from toolkit.analysis.windows_profile import Frame, Process, RecordedProfile, Slice, ViewState
from toolkit.analysis.windows_slices import WHOLE, Window
from toolkit.engines.node import find_node
from toolkit.reports.profile_pack import pack

HERE = Path(__file__).parent
REQUESTS = [10 + second % 7 for second in range(80)]
DUMPS = "dumps (json/__init__.py)"

pytestmark = [
    pytest.mark.needs_chromium,
    pytest.mark.skipif(
        not (HERE.parents[2] / "node_modules" / "playwright-core").is_dir(),
        reason="playwright-core is not installed (make setup)",
    ),
]


@pytest.fixture(scope="module")
def profile() -> RecordedProfile:
    return sample_profile(seconds=150, stacks=160, entries=30)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, profile: RecordedProfile) -> Path:
    folder = tmp_path_factory.mktemp("flames")
    parts = flame_demo.bundle()
    packs = {
        "whole": pack(profile),
        "hostile": pack(sample_profile(hostile=True)),
        "deep": pack(_deep()),
        "empty": pack(
            RecordedProfile(servers=["web"], views=["cpu"], states=[ViewState(0, 0, True, "", 20)])
        ),
        "damaged": pack(profile)[:-400],
    }
    for name, packed in packs.items():
        (folder / f"{name}.html").write_text(flame_demo.page(*parts, packed, REQUESTS), encoding="utf-8")
    return folder


def test_every_frame_has_the_time_that_python_gives_it(folder: Path, profile: RecordedProfile) -> None:
    source = PackSource(profile)
    cases = [
        *_stacks_cases(source),
        *_regrouped_cases(source),
        *_difference_cases(source),
    ]
    assert all(len(case["frames"]) > 5 for case in cases)
    (folder / "cases.json").write_text(json.dumps(cases), encoding="utf-8")
    _read("flame_numbers", {"folder": str(folder)})


def test_a_reader_can_use_it(folder: Path, profile: RecordedProfile) -> None:
    stacks = _stacks(PackSource(profile), Selection("web-1", "cpu"), Naming())
    given = {
        "folder": str(folder),
        "matched": _percent(stacks, lambda label: "step_1" in label),
        "matched_by_regex": _percent(
            stacks, lambda label: label.startswith(("step_11 ", "step_12 ")) or "index" in label
        ),
        "functions": len({label for labels, _ in stacks for label in labels}),
        "dumps_total": _functions(stacks)[DUMPS][0] / 1e6,
    }
    _read("flame_use", given)


def test_keys_alone_are_enough(folder: Path) -> None:
    _read("flame_keys", {"folder": str(folder)})


def test_differences_are_shown(folder: Path) -> None:
    _read("flame_difference", {"folder": str(folder)})


def test_saved_files_say_the_same(folder: Path, profile: RecordedProfile) -> None:
    stacks = _stacks(PackSource(profile), Selection("web-1", "cpu"), Naming())
    _read("flame_files", {"folder": str(folder), "functions": _functions(stacks)})


def test_hostile_deep_empty_and_damaged_profiles(folder: Path) -> None:
    _read("flame_odd", {"folder": str(folder)})


def test_colours_can_be_read_and_told_apart_by_colour_blind_people(folder: Path) -> None:
    _read("flame_colours", {"folder": str(folder)})


def _read(reader: str, given: dict[str, Any]) -> None:
    done = subprocess.run(
        [find_node().path, HERE / f"{reader}.mjs", json.dumps(given)],
        env={**os.environ, "CHROMIUM": shutil.which("chromium") or ""},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _deep() -> RecordedProfile:
    """One stack that calls itself 3000 times: more than a canvas has pixels."""
    profile = RecordedProfile(
        servers=["web"],
        views=["cpu"],
        states=[ViewState(0, 0, True, "", 20.0)],
        processes=[Process(0, 4711, "worker")],
    )
    profile.tree.frames.append(Frame("again", "/srv/shop/again.py", 3, 0, "shop"))
    for depth in range(3000):
        profile.tree.parents.append(depth)
        profile.tree.node_frames.append(0)
    profile.slices.append(Slice(0, 0, 0, 5000, 50_000))
    profile.add_group(0, 0, [2999], [7])
    return profile


def _stacks(source: PackSource, selection: Selection, naming: Naming) -> Stacks:
    return stacks_of_window(window_times(source, selection).times, source.frames, naming)


def _state(selection: Selection, naming: Naming, **others: Any) -> dict[str, Any]:
    return {
        "server": selection.server,
        "view": selection.view,
        "worker": "all" if selection.worker is None else str(selection.worker),
        "from": selection.window.start_s,
        "to": selection.window.end_s,
        "scope": naming.scope,
        "lines": naming.lines,
        **others,
    }


def _stacks_cases(source: PackSource) -> list[dict[str, Any]]:
    chosen = [
        (Selection("web-1", "cpu"), Naming()),
        (Selection("web-1", "wall", window=Window(0, 40)), Naming(lines=True)),
        (Selection("web-2", "off", window=Window(12.5, 90.25)), Naming()),
        (Selection("web-1", "off", worker=4711), Naming(scope="package")),
        (Selection("web-2", "cpu", worker=4712, window=Window(-4, 61)), Naming(scope="application")),
        (Selection("web-1", "wall"), Naming(scope="application", lines=True)),
        (Selection("web-1", "gil", window=Window(6, 146)), Naming(scope="package")),
    ]
    cases = []
    for selection, naming in chosen:
        frames = _tree(_stacks(source, selection, naming))
        cases.append({"state": _state(selection, naming), "frames": _rows("stacks", frames)})
    return cases


def _regrouped_cases(source: PackSource) -> list[dict[str, Any]]:
    selection, naming = Selection("web-1", "cpu", window=Window(0, 100)), Naming()
    stacks = _stacks(source, selection, naming)
    backwards = _tree([(labels[::-1], us) for labels, us in stacks])
    callers: Counter[tuple[str, ...]] = Counter()
    callees: Counter[tuple[str, ...]] = Counter()
    for labels, us in stacks:
        if DUMPS in labels:
            at = labels.index(DUMPS)  # the outermost: a call of itself is one of its callees
            callers[labels[at::-1]] += us
            callees[labels[at:]] += us
    middle = [
        *_rows("callers", _tree(callers.items())),
        *_rows("callees", _tree(callees.items())),
    ]
    return [
        {"state": _state(selection, naming, inverted=True), "frames": _rows("stacks", backwards)},
        {
            "state": _state(selection, naming, look="sandwich", focus=DUMPS),
            "frames": [row for row in middle if row[1]],
        },
    ]


def _difference_cases(source: PackSource) -> list[dict[str, Any]]:
    cases = []
    for view, normal, naming, base, now in (
        ("cpu", "second", Naming(), Window(0, 30), Window(40, 140)),
        ("cpu", "share", Naming(scope="application"), Window(0, 30), Window(40, 140)),
        ("wall", "request", Naming(), Window(3, 33), Window(40, 78)),
        ("off", "second", Naming(lines=True), Window(0, 30), WHOLE),
        ("off", "share", Naming(), Window(-4, 70), Window(70, 140)),
        ("cpu", "second", Naming(), Window(0, 12), Window(40, 140)),  # too few chunks to be judged
    ):
        a, b = (_side(source, Selection("web-1", view, window=window)) for window in (base, now))
        difference = compare(source, a, b, naming, normal)
        frames = {(): _sides(difference.root)} | {path: _sides(frame) for path, frame in difference.each()}
        rows = [["stacks", path, *sides] for path, sides in frames.items()]
        state = _state(b.selection, naming, baseFrom=base.start_s, baseTo=base.end_s, normal=normal)
        cases.append({"state": state, "frames": rows})
    return cases


def _side(source: PackSource, selection: Selection) -> Side:
    seconds = recorded_seconds(source, selection)
    first, end = seconds or (0, len(REQUESTS))
    return Side(selection, sum(REQUESTS[max(0, first) : max(0, end)]), seconds)


def _sides(frame: Any) -> list[int]:
    verdict = {None: 0, True: 1, False: 2}[frame.within_noise]
    return [frame.b_total, frame.b_own, frame.a_total, frame.a_own, verdict]


def _tree(stacks: Any) -> dict[tuple[str, ...], list[int]]:
    frames: dict[tuple[str, ...], list[int]] = {}
    for labels, us in stacks:
        for depth in range(len(labels) + 1):
            frames.setdefault(labels[:depth], [0, 0])[0] += us
        frames[labels][1] += us
    return frames


def _rows(part: str, frames: dict[tuple[str, ...], list[int]]) -> list[list[Any]]:
    return [[part, path, *times, 0, 0, 0] for path, times in frames.items()]


def _functions(stacks: Stacks) -> dict[str, tuple[int, int]]:
    """Total and own microseconds of each function."""
    total: Counter[str] = Counter()
    own: Counter[str] = Counter()
    for labels, us in stacks:
        total.update(dict.fromkeys(labels, us))
        own[labels[-1]] += us
    return {label: (total[label], own[label]) for label in total}


def _percent(stacks: Stacks, matches: Any) -> str:
    found = sum(us for labels, us in stacks if any(matches(label) for label in labels))
    return f"{found / sum(us for _, us in stacks) * 100:.2f}"
