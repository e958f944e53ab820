"""Folded and speedscope files, read back as other tools read them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.run_folders import WORKER_A, RunFolderBuilder, raw, small_run
from toolkit.analysis.results import read_results
from toolkit.reports import folded, speedscope

if TYPE_CHECKING:
    from pathlib import Path


def check_speedscope(content: dict[str, Any]) -> None:
    """The rules of https://www.speedscope.app/file-format-schema.json for sampled profiles, and those of its importer."""
    assert content["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    frames = content["shared"]["frames"]
    for frame in frames:
        assert set(frame) <= {"name", "file", "line", "col"}
        assert isinstance(frame["name"], str)
        assert isinstance(frame.get("file", ""), str)
        assert isinstance(frame.get("line", 0), int)
    assert 0 <= content["activeProfileIndex"] < len(content["profiles"])
    for profile in content["profiles"]:
        assert set(profile) == {"type", "name", "unit", "startValue", "endValue", "samples", "weights"}
        assert (profile["type"], profile["unit"]) == ("sampled", "seconds")
        assert len(profile["samples"]) == len(profile["weights"])
        assert all(0 <= index < len(frames) for sample in profile["samples"] for index in sample)
        assert all(weight > 0 for weight in profile["weights"])
        assert abs(sum(profile["weights"]) - (profile["endValue"] - profile["startValue"])) < 1e-6


def test_speedscope_has_a_profile_for_each_server_view_and_worker(tmp_path: Path) -> None:
    results = read_results(small_run(tmp_path))
    ((name, data),) = speedscope.render(results)
    content = json.loads(data)

    assert name == "exports/profile.speedscope.json"
    check_speedscope(content)
    assert [profile["name"] for profile in content["profiles"]] == [flame.title for flame in results.flames]
    cpu = next(profile for profile in content["profiles"] if profile["name"] == "app: CPU time, all workers")
    hot = next(i for i, frame in enumerate(content["shared"]["frames"]) if frame["name"] == "hot")
    assert content["shared"]["frames"][hot] == {"name": "hot", "file": "/srv/shop/shop/views.py", "line": 12}
    assert sum(w for s, w in zip(cpu["samples"], cpu["weights"], strict=True) if s[-1] == hot) == 8.0


def test_without_samples_there_are_no_exports(tmp_path: Path) -> None:
    results = read_results(RunFolderBuilder(tmp_path).build())

    assert list(speedscope.render(results)) == []
    assert list(folded.render(results)) == []


def test_folded_lines_add_up_to_the_flame(tmp_path: Path) -> None:
    results = read_results(small_run(tmp_path))
    files = dict(folded.render(results))

    assert sorted(files) == ["exports/app-cpu.folded", "exports/app-wall.folded"]
    counted = {}
    for line in files["exports/app-cpu.folded"].decode().splitlines():
        stack, _, count = line.rpartition(" ")
        counted[tuple(stack.split(";"))] = int(count)
    whole = next(flame for flame in results.flames if flame.view == "cpu" and flame.worker is None)
    assert counted == dict(whole.stacks)


def test_folded_frames_cannot_split_a_stack_or_a_line(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.server("app", {"wall": {"valid": True}})
    builder.chunk("app", "wall", 0, raw(WORKER_A, ("f (/a;b\nc.py:1)", "g\u202e (/x.py:2)"), 20))
    ((_, data),) = folded.render(read_results(builder.build()))

    assert data.decode() == "f (/a:b\\x0ac.py:1);g\\u202e (/x.py:2) 1000000\n"
