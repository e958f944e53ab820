"""Which wheel a server needs; the lock agrees with what the operator's side installs."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from toolkit.errors import ToolkitError, UsageError
from toolkit.probes.wheels import fetch_wheel, locked_wheels, wheel_for
from toolkit.probes.wheels_lock import pyspy_version, render

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("libc", ["glibc", "musl"])
@pytest.mark.parametrize("machine", ["x86_64", "aarch64", "arm64", "AMD64"])
@pytest.mark.parametrize("name", ["py-spy", "psutil"])
def test_every_supported_server_has_both(name: str, machine: str, libc: str) -> None:
    wheel = wheel_for(name, machine, libc)
    assert wheel.machine in wheel.file
    assert wheel.file.startswith(f"{name.replace('-', '_')}-{wheel.version}-")
    if name == "psutil":
        assert "cp36-abi3" in wheel.file  # one file for every CPython that the agent runs on
        assert ("musllinux" in wheel.file) == (libc == "musl")


@pytest.mark.parametrize(("machine", "libc"), [("armv7l", "glibc"), ("x86_64", ""), ("riscv64", "musl")])
def test_others_are_told_what_is_supported(machine: str, libc: str) -> None:
    with pytest.raises(UsageError) as caught:
        wheel_for("py-spy", machine, libc)
    assert repr(machine) in caught.value.message
    for supported in ("x86_64 (glibc)", "x86_64 (musl)", "aarch64 (glibc)", "aarch64 (musl)"):
        assert supported in caught.value.hint


def test_the_lock_is_of_the_versions_that_pyproject_and_its_lock_name() -> None:
    versions = {wheel.name: wheel.version for wheel in locked_wheels()}
    assert versions["py-spy"] == pyspy_version(ROOT / "pyproject.toml")
    ours = (ROOT / "requirements.lock").read_text()
    for wheel in locked_wheels():
        block = re.search(rf"^{wheel.name}==(\S+) (?:\\\n\s+--hash=\S+ ?)+", ours, re.MULTILINE)
        assert block
        assert block[1] == wheel.version
        assert f"--hash=sha256:{wheel.sha256}" in block[0]


def test_the_lock_is_what_its_writer_writes() -> None:
    assert (ROOT / "profile" / "wheels.lock").read_text() == render(locked_wheels())


@pytest.mark.parametrize("text", ["", "[[wheel]]\nname = 'x'\n", "not toml"])
def test_a_broken_lock_is_named(tmp_path: Path, text: str) -> None:
    lock = tmp_path / "wheels.lock"
    lock.write_text(text)
    with pytest.raises(ToolkitError, match=re.escape(str(lock))):
        locked_wheels(lock)


def test_a_wrong_file_put_there_by_hand_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOLKIT_WHEELS", str(tmp_path))
    wheel = wheel_for("psutil", "aarch64", "musl")
    (tmp_path / wheel.file).write_bytes(b"something else")
    with pytest.raises(UsageError) as caught:
        fetch_wheel("psutil", "aarch64", "musl")
    assert wheel.file in caught.value.message
    assert wheel.sha256 in caught.value.hint


def test_without_pip_the_file_and_the_way_by_hand_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOOLKIT_CACHE", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ToolkitError) as caught:
        fetch_wheel("py-spy", "x86_64", "glibc")
    assert "has no pip" in caught.value.message
    assert wheel_for("py-spy", "x86_64", "glibc").file in caught.value.hint
    assert "TOOLKIT_WHEELS" in caught.value.hint
