"""What the kinds of run do: side by side and one after another, two servers, profiles until told, npm, reports and bundles."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.commands.calling import HTTP, PLAN, ROOT, SOCKET, phases
from toolkit.engines.node import find_node

if TYPE_CHECKING:
    from tests.integration.commands.calling import Done, Started, Toolkit

pytestmark = [pytest.mark.needs_artillery, pytest.mark.needs_sshd]


@pytest.fixture(scope="module")
def two_servers(shared: Toolkit) -> tuple[Done, Path]:
    """The same service over SSH and locally, under two scenario files one after the other."""
    reports = shared.folder / "two"
    pidfile = str(shared.demo.pidfile)
    servers: list[dict[str, Any]] = [
        {
            "name": "far",
            "address": "ssh://toolkit-demo",
            "ssh": {"config": str(shared.demo.folder / "ssh_config")},
        },
        {"name": "near", "address": "local:"},
    ]
    for server in servers:
        server["gunicorn"] = {"pidfile": pidfile}
    done = shared.call(
        *("profile-and-load", PLAN, "--set", f"servers={json.dumps(servers)}", "--order", "sequential"),
        *(*phases(1), *phases(1, scenario=1), "--reports", str(reports)),
    )
    (run,) = (path for path in reports.iterdir() if not path.is_symlink())
    return done, run


def _loads(manifest: dict[str, Any]) -> list[tuple[int, int]]:
    return [(load["started_ns"], load["ended_ns"]) for load in manifest["loads"]]


def test_both_servers_are_recorded(two_servers: tuple[Done, Path]) -> None:
    done, run = two_servers
    assert done.code == 0, done.err
    for name in ("far", "near"):
        assert (run / "flamegraphs" / f"{name}-wall.svg").exists()
        assert (run / "servers" / name / "facts.json").exists()
        assert f"Profile of {name} " in done.err
    manifest = json.loads((run / "run.json").read_text())
    pids = {server["facts"]["arbiter"]["pid"] for server in manifest["servers"]}
    assert len(pids) == 1
    assert manifest["missing"] == []


def test_the_recorders_end_while_artillery_takes_its_time(two_servers: tuple[Done, Path]) -> None:
    run = two_servers[1]
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    (left,) = [event["t_ns"] for event in events if event["kind"] == "users_left"]
    manifest = json.loads((run / "run.json").read_text())
    for server in manifest["servers"]:
        chunks = (run / "servers" / server["name"] / "stacks" / "chunks.jsonl").read_text().splitlines()
        last = max(json.loads(line)["end_ns"] for line in chunks) + server["offset_ns"]
        assert left - 0.1e9 < last < left + 1e9, server["name"]
    assert left < _loads(manifest)[-1][1]


def test_sequential_is_one_after_the_other(two_servers: tuple[Done, Path]) -> None:
    (_, first_end), (second_start, _) = _loads(json.loads((two_servers[1] / "run.json").read_text()))
    assert first_end <= second_start


def test_the_report_is_built_again_from_what_was_recorded(
    two_servers: tuple[Done, Path], shared: Toolkit, tmp_path: Path
) -> None:
    run = tmp_path / "copy"
    shutil.copytree(two_servers[1], run)
    before = (run / "summary.json").read_text()
    for name in ("tables", "flamegraphs", "exports"):
        shutil.rmtree(run / name)
    for name in ("summary.txt", "summary.json", "report.html", "SHA256SUMS"):
        (run / name).unlink()
    done = shared.call("report", str(run))
    assert done.code == 0, done.err
    assert done.err.splitlines()[-1] == f"Report: {run / 'report.html'}"
    assert json.loads((run / "summary.json").read_text()) == json.loads(before)
    assert (run / "flamegraphs" / "far-wall.svg").exists()


def test_a_torn_run_is_reported_all_the_same(
    two_servers: tuple[Done, Path], shared: Toolkit, tmp_path: Path
) -> None:
    run = tmp_path / "torn"
    shutil.copytree(two_servers[1], run)
    before = _count(run)
    requests = run / "load" / "http" / "requests.jsonl.gz"
    os.truncate(requests, requests.stat().st_size // 2)
    chunk = max((run / "servers" / "near" / "stacks").glob("wall-*.raw.gz"))
    os.truncate(chunk, chunk.stat().st_size // 2)
    done = shared.call("report", str(run))
    assert done.code == 0, done.err
    assert 0 < _count(run) < before
    assert (run / "report.html").exists()


def _count(run: Path) -> int:
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    return sum(row["count"] for row in summary["requests"])


def test_a_bundle_is_one_zip(two_servers: tuple[Done, Path], shared: Toolkit, tmp_path: Path) -> None:
    done = shared.call("bundle", str(two_servers[1]), "--out", str(tmp_path / "run.zip"))
    assert done.code == 0, done.err
    assert "run.zip" in done.err
    with zipfile.ZipFile(tmp_path / "run.zip") as bundle:
        assert bundle.testzip() is None
        names = {name.partition("/")[2] for name in bundle.namelist()}
    assert names >= {"run.json", "report.html", "load/http/requests.jsonl.gz", "flamegraphs/far-wall.svg"}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 99}', '{"schema": 1}'])
def test_nonsense_is_no_run(toolkit: Toolkit, text: str) -> None:
    (toolkit.folder / "run").mkdir()
    (toolkit.folder / "run" / "run.json").write_text(text)
    for command in ("report", "bundle"):
        done = toolkit.call(command, "run")
        assert done.code == 1, done.err
        assert "run.json" in done.err


def test_a_profile_for_a_time(toolkit: Toolkit) -> None:
    pid = toolkit.demo.gunicorn_pid
    words = ["--server", "local:", "--gunicorn", f"pid={pid}", "--reports", str(toolkit.reports)]
    done = toolkit.call("profile", *words, "--duration", "2s")
    assert done.code == 0, done.err
    assert f"Flamegraph: profile-{pid}.svg" in done.err
    assert "<svg" in (toolkit.folder / f"profile-{pid}.svg").read_text(encoding="utf-8")
    assert toolkit.manifest()["kind"] == "profile"


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_ends_the_npm_script_once_is_enough_and_twice_loses_nothing(
    toolkit: Toolkit, times: int
) -> None:
    """As a terminal does it: the signal goes to npm, its shell and the toolkit alike."""
    pid = toolkit.demo.gunicorn_pid
    svg = ROOT / f"profile-{pid}.svg"
    words = ["--gunicorn", f"pid={pid}", "--reports", str(toolkit.reports)]
    started = _npm(toolkit, "profile:python", *words)
    try:
        started.wait_for("] profile")
        for _ in range(times):
            os.killpg(started.process.pid, signal.SIGINT)
            time.sleep(0.2)
        done = started.finish(30)
        # npm dies of its own SIGINT once the script has ended; what the toolkit said is in run.json.
        assert done.code in {0, 130, -signal.SIGINT}, done.err
        assert f"Flamegraph: {svg.name}" in done.err
        assert done.seconds < 15
        _until_ended(toolkit)
        assert "<svg" in svg.read_text(encoding="utf-8")
        assert toolkit.manifest()["outcome"] == "passed"
        assert (toolkit.run / "report.html").exists()
    finally:
        svg.unlink(missing_ok=True)


def test_npm_loads_both_files_side_by_side(toolkit: Toolkit) -> None:
    words = [
        "--target",
        toolkit.demo.url,
        *phases(2),
        *phases(2, scenario=1),
        "--reports",
        str(toolkit.reports),
    ]
    done = _npm(toolkit, "tests:all", *words).finish()
    assert done.code == 0, done.err
    (first_start, first_end), (second_start, second_end) = _loads(toolkit.manifest())
    assert max(first_start, second_start) < min(first_end, second_end)
    assert [Path(load["file"]).name for load in toolkit.manifest()["loads"]] == [
        Path(HTTP).name,
        Path(SOCKET).name,
    ]
    assert toolkit.manifest()["servers"] == []


def _npm(toolkit: Toolkit, script: str, *words: str) -> Started:
    node = find_node()
    if not node.npm_argv:
        pytest.skip("this Node has no npm")
    argv = [*node.npm_argv, "run", "--silent", script, "--", *words]
    path = f"{node.path.parent}{os.pathsep}{toolkit.environ['PATH']}"
    return toolkit.start_argv(argv, ROOT, PATH=path, TOOLKIT_NODE=str(node.path))


def _until_ended(toolkit: Toolkit) -> None:
    """npm may end before what it started."""
    deadline = time.monotonic() + 15
    while toolkit.manifest()["outcome"] == "running" or not (toolkit.run / "SHA256SUMS").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_file_of_records_is_sent_while_the_server_is_profiled(toolkit: Toolkit) -> None:
    done = toolkit.call(
        "profile-and-load",
        str(ROOT / "plans" / "messages.yml"),
        "--set",
        "load.scenarios.0.send.rate=150",
        "--json",
    )
    assert done.code == 0, done.err
    summary = json.loads(done.out)["summary"]
    assert summary["traffic"][0]["answered"] == 500
    assert summary["codes"] == {"201": 500}
    (server,) = summary["servers"]
    assert (toolkit.run / "flamegraphs" / "web-wall.svg").exists()
    assert server["views"]
    # The server's own lines for the records are found by the ids under which they were sent.
    assert summary["server_errors"]["unseen"]["by_server"]["count"] == 0
