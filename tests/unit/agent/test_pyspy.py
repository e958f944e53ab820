"""What py-spy printed, captured, and what the agent understands of it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

pyspy = import_module("pyspy")
check = import_module("check")
faults = import_module("faults")

CAPTURED = Path(__file__).parent / "captured"


def captured(name: str) -> str:
    return (CAPTURED / f"{name}.txt").read_text()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("record", (True, 0, 0, 0.0, "")),
        ("record-behind", (True, 68030, 0, 2.79, "")),
        ("record-unwritable", (True, None, None, 0.0, "Error: No such file or directory (os error 2)")),
        (
            "record-no-process",
            (
                False,
                None,
                None,
                0.0,
                "Error: No python processes found in process 999999 or any of its subprocesses",
            ),
        ),
    ],
)
def test_a_recorders_log(name: str, expected: tuple[bool, int | None, int | None, float, str]) -> None:
    assert tuple(pyspy.parse_log(captured(name))) == expected


def test_a_dump_shows_version_and_files() -> None:
    dump = pyspy.parse_dump(captured("dump-gthread-worker"))

    assert dump.version == (3, 11, 7)
    assert dump.frames[1][1] == "/srv/venv/lib/python3.11/site-packages/gunicorn/workers/gthread.py"
    assert len(dump.frames) == 13


@pytest.mark.parametrize(
    ("name", "refusal", "code"),
    [
        ("dump-not-permitted", "EACCES", "not-permitted"),
        ("dump-not-permitted", "", "not-permitted"),
        ("dump-not-python", "", "unsupported"),
        ("dump-kernel-thread", None, "gone"),
        ("dump-kernel-thread", "EPERM", "not-permitted"),
    ],
)
def test_a_refusal_is_told_by_its_cause(name: str, refusal: str | None, code: str) -> None:
    dump = pyspy.parse_dump(captured(name))

    assert dump.version == ()
    fault = check.classified(2, dump.complaint, refusal)
    assert fault.code == code
    assert fault.hint


def test_a_hint_says_what_was_seen() -> None:
    fault = check.classified(1, "", "EPERM")

    for fact in ("CAP_SYS_PTRACE", "ptrace_scope", "user"):
        assert fact in fault.hint


def test_recording_is_never_timed_by_py_spy_and_never_stops_the_service() -> None:
    command = pyspy.record_command("/x/py-spy", 7, "wall", 9, "/x/o")

    assert command[:4] == ["/x/py-spy", "record", "-p", "7"]
    assert {"--nonblocking", "--threads", "--full-filenames", "--idle"} <= set(command)
    assert "--subprocesses" not in command
    assert "--subprocesses" in pyspy.record_command("/x/py-spy", 7, "wall", 9, "/x/o", whole_tree=True)
    assert "-d" not in command
    assert "--gil" in pyspy.record_command("/x/py-spy", 7, "gil", 9, "/x/o")


@pytest.mark.parametrize(
    ("python", "foreign", "recorded_as"),
    [
        ((3, 13, 0), False, "cpu"),
        ((3, 11, 2), False, "cpu"),
        ((3, 11, 1), False, "gil"),
        ((3, 10, 13), False, "gil"),
        ((2, 7, 18), False, "gil"),
        ((3, 13, 0), True, "gil"),
    ],
)
def test_a_cpu_view_that_would_lie_is_recorded_as_gil(
    python: tuple[int, ...], foreign: bool, recorded_as: str
) -> None:
    verdict = check.verdicts(check.Conditions(python, foreign, False))["cpu"]

    assert verdict["recorded_as"] == recorded_as
    assert verdict["valid"] is (recorded_as == "cpu")
    assert bool(verdict["reason"]) is (recorded_as == "gil")


def test_free_threaded_builds_are_refused() -> None:
    with pytest.raises(faults.Fault) as caught:
        check.verdicts(check.Conditions((3, 13, 0), False, True))

    assert caught.value.code == "unsupported"


@pytest.mark.parametrize(
    ("folder", "version"),
    [
        ("gunicorn-27.0.1.dist-info", "27.0.1"),
        ("gunicorn-20.0.4-py3.8.egg-info", "20.0.4"),
        ("gunicorn-21.0.dev1.dist-info", "21.0.dev1"),
    ],
)
def test_the_version_stands_beside_the_package(tmp_path: Path, folder: str, version: str) -> None:
    (tmp_path / "site-packages" / folder).mkdir(parents=True)

    assert check._version("", [f"{tmp_path}/site-packages/gunicorn/arbiter.py"]) == version
    assert check._version(str(tmp_path), ["/site-packages/setproctitle/x.so"]) == version
