"""The wheels themselves, fetched by pip from wherever it is set up to fetch from."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from toolkit.errors import ToolkitError
from toolkit.probes.delivery import psutil_package, pyspy_executable
from toolkit.probes.wheels import fetch_wheel, wheel_for
from toolkit.run.agent_push import write_server_kit

if TYPE_CHECKING:
    from pathlib import Path

_MACHINES = {"x86_64": 62, "aarch64": 183}  # e_machine of ELF


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skips where pip cannot fetch anything at all."""
    folder = tmp_path_factory.mktemp("index")
    argv = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--dest", str(folder), "py-spy"]
    if subprocess.run(argv, capture_output=True, check=False).returncode != 0:
        pytest.skip("pip cannot reach a package index")


@pytest.fixture
def fetched(index: None) -> Path:
    return fetch_wheel("psutil", "x86_64", "glibc")


@pytest.fixture
def closed_index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A new cache, and an index where nothing listens."""
    monkeypatch.setenv("TOOLKIT_CACHE", str(tmp_path / "cache"))
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_INDEX_URL", "http://user:geheim@127.0.0.1:9/simple")
    return tmp_path / "cache" / "wheels"


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize("libc", ["glibc", "musl"])
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_programs_are_for_the_servers_machine(machine: str, libc: str) -> None:
    pyspy = pyspy_executable(fetch_wheel("py-spy", machine, libc))
    psutil = psutil_package(fetch_wheel("psutil", machine, libc))
    extension = psutil["lib/psutil/_psutil_linux.abi3.so"][0]
    for program in (pyspy, extension):
        assert program[:4] == b"\x7fELF"
        assert program[4] == 2  # 64 bit
        assert int.from_bytes(program[18:20], "little") == _MACHINES[machine]
    assert b"/lib/ld-" not in pyspy[:4096]  # no interpreter: linked statically, any C library will do
    assert (b"libc.musl-" in extension) == (libc == "musl")
    assert not [name for name in psutil if "windows" in name or "osx" in name]


@pytest.mark.usefixtures("index")
def test_a_file_changed_in_the_cache_is_fetched_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = fetch_wheel("psutil", "x86_64", "musl").read_bytes()
    monkeypatch.setenv("TOOLKIT_CACHE", str(tmp_path))
    cached = tmp_path / "wheels" / wheel_for("psutil", "x86_64", "musl").file
    cached.parent.mkdir()
    cached.write_bytes(good[:-1] + b"!")
    assert fetch_wheel("psutil", "x86_64", "musl") == cached
    assert cached.read_bytes() == good
    assert [path.name for path in cached.parent.iterdir()] == [cached.name]


def test_offline_with_a_changed_cache_nothing_wrong_is_used(closed_index: Path) -> None:
    wheel = wheel_for("psutil", "x86_64", "glibc")
    closed_index.mkdir(parents=True)
    (closed_index / wheel.file).write_bytes(b"changed")
    with pytest.raises(ToolkitError) as caught:
        fetch_wheel("psutil", "x86_64", "glibc")
    assert wheel.file in caught.value.hint
    assert "TOOLKIT_WHEELS" in caught.value.hint
    assert "geheim" not in str(caught.value)


def test_offline_the_cache_or_a_folder_will_do(
    fetched: Path, closed_index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hand = tmp_path / "by hand"
    by_hand.mkdir()
    shutil.copy(fetched, by_hand)
    monkeypatch.setenv("TOOLKIT_WHEELS", str(by_hand))
    assert fetch_wheel("psutil", "x86_64", "glibc") == by_hand / fetched.name
    monkeypatch.delenv("TOOLKIT_WHEELS")
    closed_index.mkdir(parents=True)
    shutil.copy(fetched, closed_index)
    assert fetch_wheel("psutil", "x86_64", "glibc") == closed_index / fetched.name


@pytest.mark.usefixtures("index")
def test_a_kit_can_be_made_for_another_machine(tmp_path: Path) -> None:
    out = tmp_path / "kit"
    files = write_server_kit(out, "aarch64", "musl")
    assert files[0] == out / "prepare-server.sh"
    assert {path for path in out.rglob("*") if path.is_file()} == set(files)
    assert int.from_bytes((out / "py-spy").read_bytes()[18:20], "little") == _MACHINES["aarch64"]
    assert "machine=aarch64\nlibc=musl\n" in (out / "version").read_text()
    write_server_kit(out, "x86_64", "glibc")  # brings a kit up to date
    assert "machine=x86_64" in (out / "version").read_text()
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").touch()
    with pytest.raises(ToolkitError, match="not empty"):
        write_server_kit(other, "x86_64", "glibc")
