"""What is shown of a server: true views, their weights, and words on what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.run_folders import (
    ARBITER,
    GUNICORN,
    HOT,
    POOL_WAIT,
    WORKER_A,
    WORKER_B,
    RunFolderBuilder,
    raw,
    small_run,
)
from toolkit.analysis.results import Flame, Results, read_results

if TYPE_CHECKING:
    from pathlib import Path


def view_of(results: Results, name: str) -> dict[str, Any]:
    return next(view for view in results.summary["servers"][0]["views"] if view["view"] == name)


def flames_of(results: Results, view: str) -> list[Flame]:
    return [flame for flame in results.flames if flame.view == view]


def profiled(
    tmp_path: Path, views: dict[str, dict[str, Any]], chunks: list[tuple[str, str, dict[str, Any]]]
) -> Results:
    builder = RunFolderBuilder(tmp_path)
    builder.manifest.command = "profile"
    builder.server("app", views)
    numbers: dict[str, int] = {}
    for view, text, fields in chunks:
        numbers[view] = numbers.get(view, -1) + 1
        builder.chunk("app", view, numbers[view], text, **fields)
    return read_results(builder.build())


def test_the_hot_function_has_its_share_in_the_flame_of_the_server_and_of_its_worker(tmp_path: Path) -> None:
    results = read_results(small_run(tmp_path))

    whole, first, second = flames_of(results, "cpu")
    assert [flame.worker for flame in (whole, first, second)] == [None, WORKER_A, WORKER_B]
    assert {frames[-1]: us for frames, us in whole.stacks}[HOT] == 8_000_000  # 160 of 200 samples at 20 Hz
    assert sum(us for _, us in whole.stacks) == 10_000_000
    assert {frames[-1]: us for frames, us in first.stacks}[HOT] == 6_000_000
    assert [frames[-1] for frames, _ in second.stacks] == [HOT]
    assert whole.stacks[0][0][0] == GUNICORN[0], "from the root"
    assert (whole.seconds, whole.rate_hz) == (10.0, 20.0)


def test_pool_threads_that_wait_are_dropped_from_the_cpu_view_alone_and_counted(tmp_path: Path) -> None:
    results = read_results(small_run(tmp_path))

    assert not [frames for frames, _ in flames_of(results, "cpu")[0].stacks if frames == POOL_WAIT]
    assert dict(flames_of(results, "wall")[0].stacks)[POOL_WAIT] == 4_000_000
    assert view_of(results, "cpu")["waiting_samples_left_out"] == 80
    assert "80 samples (28.6 %)" in flames_of(results, "cpu")[0].note
    assert "wait for work" not in flames_of(results, "wall")[0].note


def test_a_pools_thread_that_works_is_not_taken_for_waiting(tmp_path: Path) -> None:
    working = (*POOL_WAIT, "run (/usr/lib/python3.11/concurrent/futures/thread.py:58)", HOT)
    ours = ("_worker (/srv/shop/jobs.py:3)",)
    results = profiled(
        tmp_path, {"cpu": {"valid": True}}, [("cpu", raw(WORKER_A, working, 5) + raw(WORKER_A, ours, 2), {})]
    )

    assert {frames[-1]: us for frames, us in results.flames[0].stacks} == {HOT: 250_000, ours[0]: 100_000}


def test_chunks_of_different_rates_are_weighted_by_time_and_not_by_samples(tmp_path: Path) -> None:
    slow = ("slow (/srv/a.py:1)",)
    chunks = [
        ("wall", raw(WORKER_A, (HOT,), 500), {"rate_hz": 100.0}),
        ("wall", raw(WORKER_A, slow, 50), {"rate_hz": 10.0}),
    ]
    results = profiled(tmp_path, {"wall": {"valid": True}}, chunks)

    assert dict(results.flames[0].stacks) == {(HOT,): 5_000_000, slow: 5_000_000}
    assert results.flames[0].rate_hz == 55.0
    assert view_of(results, "wall")["samples"] == 550
    assert view_of(results, "wall")["sampled_s"] == 10.0


def test_a_view_that_cannot_be_true_is_not_shown_and_its_reason_is(tmp_path: Path) -> None:
    reason = "py-spy sees another PID namespace: every thread looks active"
    views: dict[str, dict[str, Any]] = {"wall": {"valid": True}, "cpu": {"valid": False, "reason": reason}}
    text = raw(WORKER_A, (HOT,), 5)
    results = profiled(tmp_path, views, [("wall", text, {}), ("cpu", text, {})])

    assert {flame.view for flame in results.flames} == {"wall"}
    assert view_of(results, "cpu")["shown"] is False
    assert [
        sentence
        for sentence in results.summary["missing"]
        if "cpu view is not shown" in sentence and reason in sentence
    ]


def test_a_cpu_view_that_was_recorded_as_gil_is_shown_as_gil(tmp_path: Path) -> None:
    views = {"cpu": {"valid": False, "reason": "Python 3.9", "recorded_as": "gil", "rate_hz": 20.0}}
    for where in ("gil", "cpu"):  # the agent names the chunks after what they are; an old one might not
        results = profiled(tmp_path / where, views, [(where, raw(WORKER_A, (HOT,), 5), {})])

        assert {flame.view for flame in results.flames} == {"gil"}
        assert results.flames[0].title == "app: time with the GIL, all workers"
        assert "stands in for the cpu view" in results.flames[0].note
        assert "Python 3.9" in results.flames[0].note
        assert view_of(results, "gil")["samples"] == 5
        assert any("recorded as gil" in sentence for sentence in results.summary["missing"])


def test_a_restarted_worker_has_a_flame_of_its_own_and_the_time_it_lived(tmp_path: Path) -> None:
    chunks: list[tuple[str, str, dict[str, Any]]] = [
        ("wall", raw(WORKER_A, (HOT,), 100), {}),
        ("wall", raw(WORKER_B, (HOT,), 100), {}),
        ("wall", raw(WORKER_B, (HOT,), 9), {}),
    ]
    results = profiled(tmp_path, {"wall": {"valid": True}}, chunks)

    assert {flame.worker: flame.seconds for flame in results.flames} == {
        None: 15.0,
        WORKER_A: 5.0,
        WORKER_B: 10.0,
    }


def test_the_arbiter_is_in_the_servers_flame_and_is_no_worker(tmp_path: Path) -> None:
    text = raw(ARBITER, ("sleep (/x/gunicorn/arbiter.py:1)",), 3) + raw(WORKER_A, (HOT,), 1)
    results = profiled(tmp_path, {"wall": {"valid": True}}, [("wall", text, {})])

    assert [flame.worker for flame in results.flames] == [None, WORKER_A]
    assert {row["pid"]: row["role"] for row in view_of(results, "wall")["processes"]} == {
        ARBITER: "arbiter",
        WORKER_A: "worker",
    }


def test_the_new_arbiter_of_an_upgrade_is_no_worker(tmp_path: Path) -> None:
    """At first it is seen below the old one, as a worker is; once the old one has gone it is the root."""
    waits = ("sleep (/x/gunicorn/arbiter.py:1)",)
    upgrading = raw(ARBITER, waits, 3) + raw(WORKER_B, waits, 5)
    after = raw(WORKER_B, waits, 5).partition(";")[2]
    results = profiled(tmp_path, {"wall": {"valid": True}}, [("wall", upgrading, {}), ("wall", after, {})])

    assert {row["pid"]: (row["role"], row["samples"]) for row in view_of(results, "wall")["processes"]} == {
        ARBITER: ("arbiter", 3),
        WORKER_B: ("arbiter", 10),
    }
    assert [flame.worker for flame in results.flames] == [None]


def test_lost_late_and_failed_chunks_are_said(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.server("app", {"wall": {"valid": True}})
    builder.chunk("app", "wall", 0, raw(WORKER_A, (HOT,), 50), late_s=1.4, errors=50)
    builder.chunk("app", "wall", 1, raw(WORKER_A, (HOT,), 50), exit_code=-9, note="it was killed")
    builder.run.server("app").chunk("wall", 1).unlink()
    results = read_results(builder.build())

    view = view_of(results, "wall")
    assert (view["chunks"], view["lost_chunks"], view["late_chunks"], view["late_max_s"], view["errors"]) == (
        2,
        1,
        1,
        1.4,
        50,
    )
    assert view["recorder_cpu_s"] == 0.2
    assert view["recorder_cpu_percent"] == 2.0  # of the 10 s
    assert "fell behind in 1 of 2 chunks" in view["note"]
    assert "50 stacks (50.0 %)" in view["note"]
    assert "Server app: the wall view lost 1 of 2 chunks (it was killed)." in results.summary["missing"]


def test_few_samples_are_said_to_be_few(tmp_path: Path) -> None:
    def note(samples: int) -> str:
        text = raw(WORKER_A, (HOT,), samples)
        return (
            profiled(tmp_path / str(samples), {"wall": {"valid": True}}, [("wall", text, {})]).flames[0].note
        )

    assert "Only 96 samples: a share may be off by 10 percentage points." in note(96)
    assert note(500) == ""


def test_a_workers_note_is_about_its_own_samples(tmp_path: Path) -> None:
    text = raw(WORKER_A, (HOT,), 196) + raw(WORKER_B, (HOT,), 49)
    text += raw(WORKER_A, POOL_WAIT, 30, tid=8) + raw(WORKER_B, POOL_WAIT, 1, tid=9)
    fields = {"errors": 50, "late_s": 2.0}
    chunks: list[tuple[str, str, dict[str, Any]]] = [
        ("cpu", text, {"errors": 50}),
        ("cpu", raw(WORKER_A, (HOT,), 60), fields),
    ]
    whole, first, second = profiled(tmp_path, {"cpu": {"valid": True}}, chunks).flames

    assert "Only 305 samples: a share may be off by 6 percentage points." in whole.note
    assert "Only 256 samples: a share may be off by 6 percentage points." in first.note
    assert "Only 49 samples: a share may be off by 14 percentage points." in second.note
    assert "31 samples (9.2 %)" in whole.note
    assert "30 samples (10.5 %)" in first.note
    assert "1 sample (2.0 %)" in second.note
    assert "100 stacks (22.9 %) changed" in whole.note
    assert "100 stacks of all processes together (22.9 %) changed" in second.note, (
        "whose they were is not known"
    )
    assert "in 1 of 2 chunks" in first.note
    assert "fell behind" not in second.note, "it was not there"


def test_a_flame_agrees_with_the_summary_where_most_stacks_were_seen_once(tmp_path: Path) -> None:
    rows = [raw(WORKER_A, (f"step_{number} (/srv/shop/steps.py:{number})",), 1) for number in range(1000)]
    text = raw(WORKER_A, (HOT,), 1000) + "".join(rows)
    results = profiled(tmp_path, {"wall": {"valid": True}}, [("wall", text, {"rate_hz": 18.4})])

    stacks = dict(results.flames[0].stacks)
    total = sum(stacks.values())
    (hot, *_) = view_of(results, "wall")["hotspots"]["application"]
    assert hot["own_percent"] == 50.0
    assert f"{stacks[(HOT,)] / total * 100:.2f}" == "50.00"
    assert round(total / 1e6, 3) == view_of(results, "wall")["sampled_s"]


def test_a_sample_without_a_frame_has_its_time_in_the_flame_as_in_the_summary(tmp_path: Path) -> None:
    text = raw(WORKER_A, (HOT,), 3) + raw(WORKER_A, (), 1)
    results = profiled(tmp_path, {"wall": {"valid": True}}, [("wall", text, {})])

    assert dict(results.flames[0].stacks) == {(HOT,): 150_000, ("(no Python frame)",): 50_000}
    assert view_of(results, "wall")["sampled_s"] == 0.2


def test_overlapping_chunks_count_their_time_once(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.server("app", {"wall": {"valid": True}})
    builder.chunk("app", "wall", 0, raw(WORKER_A, (HOT,), 50))
    line = {"start_ns": 1_795_271_404_000_000_000, "end_ns": 1_795_271_410_000_000_000}  # 4 s to 10 s
    builder.chunk("app", "wall", 1, raw(WORKER_A, (HOT,), 50), **line)

    assert read_results(builder.build()).flames[0].seconds == 10.0


def test_without_chunks_jsonl_samples_are_shown_at_the_rate_of_the_manifest(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.server("app", {"wall": {"valid": True, "rate_hz": 50.0}, "cpu": {"valid": True}})
    builder.chunk("app", "wall", 0, raw(WORKER_A, (HOT,), 50))
    builder.chunk("app", "cpu", 0, raw(WORKER_A, (HOT,), 50))
    builder.run.server("app").chunks.unlink()
    results = read_results(builder.build())

    assert [(flame.view, flame.stacks) for flame in results.flames if flame.worker is None] == [
        ("wall", [((HOT,), 1_000_000)])
    ]
    assert "is not known" in results.flames[0].note
    missing = " ".join(results.summary["missing"])
    assert "no chunks.jsonl" in missing
    assert "the cpu view leaves out 50 samples" in missing  # neither told its rate


def test_a_service_that_recycles_its_workers_gets_no_thousand_files(tmp_path: Path) -> None:
    text = "".join(raw(1000 + number, (HOT,), 1 + number % 7) for number in range(300))
    results = profiled(tmp_path, {"wall": {"valid": True}}, [("wall", text, {})])

    assert len(results.flames) == 1 + 64
    assert "236 workers" in view_of(results, "wall")["note"]
    assert len(view_of(results, "wall")["processes"]) == 300


def test_hotspots_name_the_application_first_and_give_it_what_it_called(tmp_path: Path) -> None:
    loads = "loads (/usr/lib/python3.11/json/__init__.py:346)"
    rows = [
        raw(WORKER_A, (*GUNICORN, "index (/srv/shop/views.py:30)", loads), 30),
        raw(WORKER_A, (*GUNICORN, "index (/srv/shop/views.py:31)"), 10),
        raw(WORKER_A, GUNICORN, 40),
        raw(WORKER_A, ("wait (/usr/lib/python3.11/threading.py:1)",), 20),
    ]
    results = profiled(tmp_path, {"wall": {"valid": True}}, [("wall", "".join(rows), {})])

    found = view_of(results, "wall")["hotspots"]
    (index,) = found["application"]
    assert (index["function"], index["own_percent"], index["self_percent"], index["total_percent"]) == (
        "index",
        40.0,
        10.0,
        40.0,
    )
    assert [(row["function"], row["self_percent"]) for row in found["other"]] == [("loads", 30.0)]
    assert (found["application_percent"], found["server_percent"]) == (40.0, 60.0)


def test_recursion_counts_a_functions_total_once(tmp_path: Path) -> None:
    deep = ("f (/srv/a.py:1)", "f (/srv/a.py:2)", "f (/srv/a.py:2)")
    results = profiled(tmp_path, {"wall": {"valid": True}}, [("wall", raw(WORKER_A, deep, 10), {})])

    assert view_of(results, "wall")["hotspots"]["application"][0]["total_percent"] == 100.0
