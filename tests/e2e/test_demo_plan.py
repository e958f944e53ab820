"""The whole line against the bundled service, over a real sshd, with the demo plan shortened."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from toolkit.demo.service import start_demo, stop_demo
from toolkit.recording.records import CANARY_AGENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.demo.service import DemoState

ROOT = Path(__file__).resolve().parents[2]
PHASES = "{config: {phases: [{duration: 12, arrivalRate: 5, name: steady}]}}"

pytestmark = [pytest.mark.e2e, pytest.mark.needs_artillery, pytest.mark.timeout(240)]


@dataclass
class Finished:
    state: DemoState
    code: int
    result: dict[str, Any]
    told: str
    folder: Path
    access_log: list[str]
    left_processes: list[str]
    left_folders: set[str]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    """One run that all tests here look at."""
    scratch = tmp_path_factory.mktemp("e2e")
    before = _agent_folders()
    state = start_demo(scratch / "demo")
    try:
        argv = [sys.executable, "-m", "toolkit", "profile-and-load", "plans/demo.yml", "--json"]
        # A short run needs a larger budget than the default for enough samples: the share below has an error of 0.05 then.
        argv += ["--reports", str(scratch / "reports"), "--budget", "40%"]
        argv += [
            "--set",
            f"load.scenarios.0.overrides={PHASES}",
            "--set",
            f"load.scenarios.1.overrides={PHASES}",
        ]
        environ = {**os.environ, "TOOLKIT_DEMO_URL": state.url, "TOOLKIT_DEMO_DIR": str(scratch / "demo")}
        done = subprocess.run(argv, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=180)
        left = [
            " ".join(p.info["cmdline"])
            for p in psutil.process_iter(["cmdline"])
            if _is_ours(p.info["cmdline"])
        ]
        access_log = Path(state.access_log).read_text(encoding="utf-8").splitlines()
        result = json.loads(done.stdout) if done.stdout else {}
        folder = Path(result.get("run", scratch))
        yield Finished(
            state, done.returncode, result, done.stderr, folder, access_log, left, _agent_folders() - before
        )
    finally:
        stop_demo(scratch / "demo")


def test_it_ends_well_and_leaves_the_whole_bundle(run: Finished) -> None:
    assert run.code == 0, run.told
    names = {str(path.relative_to(run.folder)) for path in run.folder.rglob("*") if path.is_file()}
    assert names >= {
        "run.json",
        "plan.yml",
        "events.jsonl",
        "summary.txt",
        "summary.json",
        "report.html",
        "SHA256SUMS",
        "flamegraphs/web-wall.svg",
        "flamegraphs/web-cpu.svg",
        "exports/profile.speedscope.json",
        "exports/web-cpu.folded",
        "tables/requests.parquet",
        "tables/samples.parquet",
        "load/http/requests.jsonl.gz",
        "load/socket/requests.jsonl.gz",
        "servers/web/stacks/chunks.jsonl",
        "servers/web/facts.json",
    }
    workers = {name for name in names if re.match(r"flamegraphs/web-cpu-worker-\d+\.svg$", name)}
    assert len(workers) >= 4, "one for each worker"
    assert json.loads((run.folder / "run.json").read_text())["missing"] == []


def test_the_sums_hold(run: Finished) -> None:
    done = subprocess.run(
        ["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=run.folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_the_first_samples_were_seen_before_the_load(run: Finished) -> None:
    events = [json.loads(line) for line in (run.folder / "events.jsonl").read_text().splitlines()]
    first = {
        kind: next(event["t_ns"] for event in events if event["kind"] == kind)
        for kind in ("recording", "load_started")
    }
    chunks = [
        json.loads(line) for line in (run.folder / "servers/web/stacks/chunks.jsonl").read_text().splitlines()
    ]
    assert first["recording"] < first["load_started"]
    seen = [chunk for chunk in chunks if chunk["view"] == "wall" and chunk["end_ns"] < first["load_started"]]
    assert sum(chunk["samples"] for chunk in seen) > 0


def test_the_records_are_the_service_s_own_log_request_for_request(run: Finished) -> None:
    sent = Counter(
        (row["request_id"], row["method"], row["status"])
        for row in _records(run.folder)
        if row["protocol"] == "http"
    )
    logged = Counter(
        (entry["request_id"], entry["method"], entry["status"])
        for entry in map(json.loads, run.access_log)
        if entry["path"].startswith("/api/") and not entry["request_id"].startswith(CANARY_AGENT)
    )
    assert sent == logged
    assert len(sent) > 100
    assert max(sent.values()) == 1


def test_every_protocol_was_measured(run: Finished) -> None:
    protocols = Counter(row["protocol"] for row in _records(run.folder))
    assert protocols.keys() == {"http", "ws", "socketio"}
    assert min(protocols.values()) > 10


def test_the_flamegraph_holds_the_hot_function_with_its_share(run: Finished) -> None:
    total = hot = 0
    for line in (run.folder / "exports/web-cpu.folded").read_text(encoding="utf-8").splitlines():
        stack, _, count = line.rpartition(" ")
        if "counter_service" not in stack:
            continue
        total += int(count)
        hot += int(count) * ("score_slots" in stack)
    assert total > 1_000_000, "a second of sampled CPU time"
    assert abs(hot / total - run.state.hot_share) < 0.2, (
        f"{hot / total:.2f} of the service's CPU samples, about {run.state.hot_share:.2f} expected"
    )
    assert "score_slots" in (run.folder / "flamegraphs/web-cpu.svg").read_text(encoding="utf-8")


def test_the_summary_has_the_shape_of_artillery_s(run: Finished) -> None:
    text = (run.folder / "summary.txt").read_text(encoding="utf-8")
    for wanted in (
        r"Scenarios launched: +\d+",
        r"Scenarios completed: +\d+",
        r"Requests completed: +\d+",
        r"Mean response/sec: +[\d.]+",
        r"min: [\d.]+ ",
        r"p99: [\d.]+",
        r"CSR – Login, load data, idle: \d+ \([\d.]+%\)",
        r"CSR – Create and delete appointments: \d+ \([\d.]+%\)",
        r"CSR – Websockets",
        r"\b0: \d+",
        r"\b201: \d+",
        r"\b204: \d+",
    ):
        assert re.search(wanted, text), f"{wanted} is not in:\n{text}"


def test_nothing_is_left_on_the_server(run: Finished) -> None:
    assert run.left_processes == []
    assert run.left_folders == set()


def test_report_builds_the_same_again_from_the_folder_alone(run: Finished, tmp_path: Path) -> None:
    before = (run.folder / "summary.json").read_text()
    for name in ("summary.json", "report.html"):
        (run.folder / name).unlink()
    done = subprocess.run(
        [sys.executable, "-m", "toolkit", "report", str(run.folder)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (run.folder / "summary.json").read_text() == before
    assert (run.folder / "report.html").exists()


def _records(folder: Path) -> list[dict[str, Any]]:
    rows = []
    for path in folder.glob("load/*/requests.jsonl.gz"):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            rows += [row for row in map(json.loads, file) if "protocol" in row]
    return rows


def _is_ours(cmdline: list[str] | None) -> bool:
    words = " ".join(cmdline or [])
    return "agent.pyz" in words or bool(re.search(r"py-spy(\S*)? record", words))


def _agent_folders() -> set[str]:
    return {str(path) for path in Path(tempfile.gettempdir()).glob("toolkit.*")}
