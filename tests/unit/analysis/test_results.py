"""Whatever is missing or broken in a run folder: results come, and sentences say what is missing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.run_folders import HOT, WORKER_A, RunFolderBuilder, raw, request, small_run
from toolkit.analysis.results import read_results
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_whole_run_misses_nothing(tmp_path: Path) -> None:
    results = read_results(small_run(tmp_path))

    assert results.summary["missing"] == []
    assert results.summary["schema"] == 1
    assert list(results.summary)[:3] == ["schema", "run", "totals"]
    assert [phase["name"] for phase in results.phases if phase["load"] == "http"] == ["warm", "peak"]
    assert results.phases[0]["file"] == "loadtesting/http.yml"


def test_the_same_folder_gives_the_same_summary(tmp_path: Path) -> None:
    run = small_run(tmp_path)

    first, second = (json.dumps(read_results(run).summary) for _ in range(2))

    assert first == second


def test_a_profile_alone_has_no_load_and_misses_none(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.manifest.kind = "profile"
    builder.server("app", {"wall": {"valid": True}})
    builder.chunk("app", "wall", 0, raw(WORKER_A, (HOT,), 5))
    results = read_results(builder.build())

    assert results.summary["missing"] == []
    assert results.summary["totals"]["count"] == 0
    assert results.summary["totals"]["p95_ms"] is None
    assert results.series["t"] == []
    assert len(results.flames) == 2


def test_a_load_alone_has_no_server_and_misses_none(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.manifest.kind = "load"
    builder.load("http", [request(1)])
    results = read_results(builder.build())

    assert results.summary["missing"] == []
    assert (results.summary["servers"], results.flames) == ([], [])


def test_nothing_at_all_is_said(tmp_path: Path) -> None:
    missing = read_results(RunFolderBuilder(tmp_path).build()).summary["missing"]

    assert missing == ["No load was driven.", "No server was profiled."]


def test_no_request_and_no_sample_are_said(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.load("http", [])
    builder.server("app", {"wall": {"valid": True}, "cpu": {"valid": True}})
    builder.chunk("app", "wall", 0, "")  # an idle service: py-spy writes an empty file
    results = read_results(builder.build())

    missing = " ".join(results.summary["missing"])
    assert "load/http/requests.jsonl.gz holds no request." in missing
    assert "No request was recorded." in missing
    assert "the wall view holds no sample that can be shown" in missing
    assert "the cpu view has no chunk" in missing
    assert results.flames == []


def test_a_load_folder_without_records_is_said(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.load("http", [request(1)])
    builder.run.load("http").requests.unlink()

    assert "Load http left no request records." in read_results(builder.build()).summary["missing"]


def test_broken_facts_and_cut_files_are_said(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    run.server("app").facts.write_bytes(b"{\xff")
    chunk = run.server("app").chunk("cpu", 1)
    chunk.write_bytes(chunk.read_bytes()[:-20])
    requests = run.load("http").requests
    requests.write_bytes(requests.read_bytes()[:-30])
    run.load("http").events.write_bytes(b"\xff\n[]\n{\n")
    results = read_results(run)

    missing = results.summary["missing"]
    assert "Server app: facts.json cannot be read." in missing
    assert any(sentence.startswith("servers/app/stacks/cpu-000001.raw.gz is damaged") for sentence in missing)
    assert any(sentence.startswith("load/http/requests.jsonl.gz is cut short") for sentence in missing)
    assert results.summary["totals"]["count"] > 50
    assert results.flames


def test_what_the_run_itself_found_missing_comes_first(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.manifest.missing = ["web: the connection broke."]
    builder.load("http", [])
    builder.manifest.loads[0].problem = "Artillery ended with exit code 11."

    missing = read_results(builder.build()).summary["missing"]

    assert missing[:2] == ["web: the connection broke.", "Load http: Artillery ended with exit code 11."]


def test_a_server_folder_that_the_manifest_does_not_know_is_read_with_a_note(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.server("app", {"wall": {"valid": True}})
    builder.chunk("app", "wall", 0, raw(WORKER_A, (HOT,), 5))
    builder.manifest.servers.clear()  # killed before run.json knew it
    results = read_results(builder.build())

    assert results.flames[0].stacks == [((HOT,), 250_000)]
    assert "was not recorded" in results.flames[0].note


def test_views_that_are_no_views_do_not_stop_the_others(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.server("app", {"wall": {"valid": True}})
    builder.manifest.servers[0].views["cpu"] = "yes"  # type: ignore[assignment]
    builder.manifest.servers[0].views["gil"] = {
        "valid": False,
        "reason": None,
        "recorded_as": 7,
        "rate_hz": "x",
    }
    builder.chunk("app", "wall", 0, raw(WORKER_A, (HOT,), 5))

    assert len(read_results(builder.build()).flames) == 2


@pytest.mark.parametrize("content", [b"", b"[]", b'{"schema": 99}', b"\xff"])
def test_a_run_json_that_cannot_be_read_is_an_error(tmp_path: Path, content: bytes) -> None:
    run = small_run(tmp_path)
    run.manifest.write_bytes(content)

    with pytest.raises(ToolkitError, match=r"run\.json"):
        read_results(run)
