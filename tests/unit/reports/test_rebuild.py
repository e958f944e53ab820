"""Everything derived is built again from what was recorded, and one broken part costs no other."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.run_folders import RunFolderBuilder, request, small_run
from toolkit.errors import ToolkitError
from toolkit.reports import rebuild as rebuilding
from toolkit.reports.checksums import mismatches
from toolkit.reports.rebuild import rebuild
from toolkit.reports.registry import RENDERERS, Renderer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from toolkit.analysis.results import Results
    from toolkit.recording.layout import RunFolder

MINE = tuple(renderer for renderer in RENDERERS if renderer.name != "page")  # the page needs its built script


@pytest.fixture(autouse=True)
def _without_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuilding, "RENDERERS", MINE)


def contents(run: RunFolder) -> dict[str, bytes]:
    return {
        path.relative_to(run.path).as_posix(): path.read_bytes()
        for path in run.path.rglob("*")
        if path.is_file()
    }


def test_every_renderer_of_the_registry_can_be_imported_and_has_its_own_name() -> None:
    assert len({renderer.name for renderer in RENDERERS}) == len(RENDERERS)
    assert RENDERERS[-1].name == "checksums"


def test_all_that_is_derived_comes_and_what_was_recorded_stays(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    recorded = contents(run)

    assert rebuild(run) == []

    after = contents(run)
    assert {name: after[name] for name in recorded} == recorded
    assert {
        "summary.txt",
        "summary.json",
        "SHA256SUMS",
        "flamegraphs/app-cpu.svg",
        "exports/app-wall.folded",
    } <= set(after)
    assert json.loads(after["summary.json"])["schema"] == 1


def test_what_is_derived_and_stale_goes(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    for folder in (run.flamegraphs, run.exports, run.tables):
        folder.mkdir()
        (folder / "stale").touch()
    run.page.write_text("stale")

    assert rebuild(run) == []

    assert not list(run.path.rglob("stale"))
    assert not run.page.exists()


def test_rebuilding_gives_the_same_bytes(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    rebuild(run)
    first = {
        name: data
        for name, data in contents(run).items()
        if not name.startswith("tables/") and name != "SHA256SUMS"
    }
    rebuild(run)

    assert {name: data for name, data in contents(run).items() if name in first} == first


def test_a_renderer_that_fails_costs_itself_alone_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Renderer):
        def render(self, results: Results) -> Iterator[tuple[str, bytes]]:
            yield "exports/half", b"x"
            raise ZeroDivisionError("no")

    class Escaping(Renderer):
        def render(self, results: Results) -> Iterator[tuple[str, bytes]]:
            yield "../outside", b"x"

    broken = (Broken("broken", ""), Escaping("escaping", ""), Renderer("absent", "toolkit.reports.no_such"))
    monkeypatch.setattr(rebuilding, "RENDERERS", (*broken, *MINE))
    run = small_run(tmp_path)

    problems = rebuild(run)

    assert [problem.split(":")[0] for problem in problems] == ["broken", "escaping", "absent"]
    assert "ZeroDivisionError: no" in problems[0]
    assert not (tmp_path / "outside").exists()
    assert run.summary_text.exists()
    assert mismatches(run) == []


def test_a_link_in_place_of_a_derived_folder_is_removed_and_not_followed(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    run.exports.symlink_to(precious)

    assert rebuild(run) == []

    assert (precious / "file").exists()
    assert not run.exports.is_symlink()


def test_without_run_json_nothing_is_removed(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    rebuild(run)
    run.manifest.unlink()

    with pytest.raises(ToolkitError, match=r"run\.json"):
        rebuild(run)
    assert run.summary_text.exists()


def test_a_run_with_nothing_in_it_can_be_rebuilt(tmp_path: Path) -> None:
    assert rebuild(RunFolderBuilder(tmp_path).build()) == []


def test_the_checksums_cover_everything_else_and_find_every_change(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.load("odd\\name\n", [request(1)])
    run = builder.build()
    rebuild(run)

    assert mismatches(run) == []
    listed = run.checksums.read_text().splitlines()
    assert len(listed) == len(contents(run)) - 1
    assert f"{hashlib.sha256(run.plan.read_bytes()).hexdigest()}  plan.yml" in listed
    run.plan.write_text("other")
    run.summary_text.unlink()
    (run.path / "new").touch()
    assert [sentence.split(" ")[0] for sentence in mismatches(run)] == ["summary.txt", "new", "plan.yml"]


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="needs sha256sum (coreutils)")
def test_sha256sum_agrees_inside_the_folder(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.load("odd\\name\n", [request(1)])
    builder.load("–\u202e", [request(1)])
    run = builder.build()
    rebuild(run)

    checked = subprocess.run(
        ["sha256sum", "-c", "--strict", "--quiet", "SHA256SUMS"],
        cwd=run.path,
        capture_output=True,
        check=False,
    )

    assert (checked.returncode, checked.stderr) == (0, b"")


def changed(run: RunFolder) -> tuple[list[str], list[str]]:
    """What the report says is missing of files that changed, and the reasons not to trust it."""
    assert rebuild(run) == []
    found = json.loads(run.summary_json.read_bytes())
    return [one for one in found["missing"] if "SHA256SUMS" in one], found["trust"]["reasons"]


def test_a_recording_that_was_changed_stays_known_as_changed(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    assert changed(run)[0] == []
    one, other = run.server("app").chunk("cpu", 0), run.server("app").chunk("cpu", 1)
    one.write_bytes(run.server("app").chunk("wall", 0).read_bytes())
    other.rename(other.with_name("cpu-000099.raw.gz"))
    (run.path / "postmortem.md").write_text("what we think", encoding="utf-8")

    for _ in range(2):  # a second report must not sign what the first one found
        missing, reasons = changed(run)
        assert [sentence.partition(" ")[0].rpartition("/")[2] for sentence in missing] == [
            "cpu-000000.raw.gz",
            "cpu-000001.raw.gz",
            "cpu-000099.raw.gz",
        ]
        assert any("3 recorded files of this run changed after it had ended" in reason for reason in reasons)
    done = subprocess.run(
        ["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=run.path, capture_output=True, check=False
    )
    assert b"cpu-000000.raw.gz: FAILED" in done.stdout


def test_a_report_of_a_run_that_went_on_is_no_measure_of_it(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    assert rebuild(run) == []
    manifest = json.loads(run.manifest.read_bytes())
    run.manifest.write_text(json.dumps({**manifest, "reason": "went on"}), encoding="utf-8")
    run.events.write_bytes(run.events.read_bytes() + b"{}\n" if run.events.exists() else b"{}\n")

    assert changed(run)[0] == []


def test_requests_that_are_cut_short_must_not_be_used(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    requests = run.load("http").requests
    requests.write_bytes(requests.read_bytes()[: len(requests.read_bytes()) // 2])

    assert rebuild(run) == []

    trust = json.loads(run.summary_json.read_bytes())["trust"]
    assert trust["verdict"] == "invalid"
    assert trust["reasons"][0].startswith("The records of requests are cut short")
