"""pprof files, read by npm's pprof-format, which shares no code with ours."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.run_folders import ARBITER, HOT, START_NS, WORKER_A, WORKER_B, small_run
from toolkit.analysis.flames import Flame
from toolkit.analysis.results import read_results
from toolkit.analysis.windows_frames import frame_of
from toolkit.engines.node import find_node
from toolkit.reports import pprof

HERE = Path(__file__).parent
ROOT = HERE.parents[2]

pytestmark = pytest.mark.skipif(
    not (ROOT / "node_modules" / "pprof-format").is_dir(), reason="pprof-format is not installed (make setup)"
)


def read(folder: Path, content: bytes) -> dict[str, Any]:
    file = folder / "profile.pb.gz"
    file.write_bytes(content)
    done = subprocess.run(
        [find_node().path, HERE / "read_pprof.mjs", file],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_run_in_one_file(tmp_path: Path) -> None:
    results = read_results(small_run(tmp_path))
    ((name, content),) = pprof.render(results)
    profile = read(tmp_path, content)

    assert name == "exports/profile.pb.gz"
    assert profile["types"] == [["wall", "nanoseconds"], ["cpu", "nanoseconds"]]
    assert profile["period"] == ["wall", "nanoseconds", 50_000_000]
    assert int(profile["time_ns"]) == START_NS + 2 * 10**9, "the server's clock is 2 s behind"
    assert int(profile["duration_ns"]) == 10 * 10**9
    assert "small" in profile["comments"]
    assert {sample["labels"]["pid"] for sample in profile["samples"]} == {ARBITER, WORKER_A, WORKER_B}
    arbiter = next(sample for sample in profile["samples"] if sample["labels"]["pid"] == ARBITER)
    assert arbiter["labels"] == {"server": "app", "pid": ARBITER, "role": "arbiter"}
    assert arbiter["values"] == [10 * 10**9, 0]
    hot = {
        sample["labels"]["pid"]: sample
        for sample in profile["samples"]
        if sample["stack"][-1]["name"] == "hot"
    }
    assert hot[WORKER_A]["values"] == [6 * 10**9, 6 * 10**9]
    assert hot[WORKER_B]["values"] == [2 * 10**9, 2 * 10**9]
    leaf = frame_of(HOT)
    assert hot[WORKER_A]["stack"][-1] == {
        "name": "hot",
        "file": leaf.recorded_file,
        "line": 12,
        "known": True,
    }
    assert hot[WORKER_A]["stack"][0]["file"] == "/srv/venv/bin/gunicorn", "from the root, whole paths"
    totals = [sum(sample["values"][at] for sample in profile["samples"]) for at in range(2)]
    of_flames = {
        flame.view: sum(us for _, us in flame.stacks) * 1000 for flame in results.flames if not flame.worker
    }
    assert totals == [of_flames["wall"], of_flames["cpu"]]


def test_a_window_with_hostile_names(tmp_path: Path) -> None:
    names = ("</script> (/a;b\n.py:1)", "\u202egnp (/x.py:2)", "no file", "x" * 10_000)
    flame = Flame("web", "off", 7, "title", 2.5, 0.0, [(names, 3), (names[:1], 2**45)], "")
    profile = read(tmp_path, pprof.one_flame(flame, START_NS))

    assert [frame["name"] for frame in profile["samples"][0]["stack"]] == [
        "</script>",
        "\u202egnp",
        "no file",
        "x" * 10_000,
    ]
    assert profile["samples"][0]["stack"][0]["file"] == "/a;b\n.py"
    assert [sample["values"] for sample in profile["samples"]] == [[3000], [2**45 * 1000]]
    assert profile["samples"][1]["labels"] == {"server": "web", "pid": 7}
    assert profile["types"] == [["off", "nanoseconds"]]
