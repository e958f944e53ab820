"""What is read out of a look at a server, and what goes into the agent's archive."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from importlib.util import MAGIC_NUMBER
from typing import TYPE_CHECKING

import pytest

from toolkit.errors import NotPermittedError, ToolkitError, UnreachableError, UsageError
from toolkit.probes.agent_program import agent_archive, archive
from toolkit.probes.delivery_look import FOLDER_PATTERN, ServerLook, marked_values, read_folder, read_look

if TYPE_CHECKING:
    from pathlib import Path

GOOD = {
    "machine": "x86_64",
    "system": "Linux",
    "uid": "1000",
    "sudo": "/usr/bin/sudo",
    "python_version": "3.9.2",
    "python": "/usr/bin/python3",
    "libc": "glibc",
    "free_threaded": "0",
    "psutil": "5.9.0",
    "end": "ok",
}
KIT = {"kit_protocol": "1", "kit_python": "/usr/bin/python3"}


def said(values: dict[str, str], *more: str) -> bytes:
    lines = [f"{key}={value}" for key, value in values.items() if key != "end"] + list(more)
    return "".join(f"M {line}\n" for line in [*lines, *(["end=ok"] if "end" in values else [])]).encode()


def look(values: dict[str, str], *more: str) -> ServerLook:
    return read_look(marked_values(said(values, *more), "M"), "ssh://web")


def test_a_usual_server() -> None:
    seen = look(GOOD)
    assert (seen.python, seen.machine, seen.libc, seen.uid) == ("/usr/bin/python3", "x86_64", "glibc", 1000)
    assert not seen.needs_psutil
    assert seen.prepared_python == ""


@pytest.mark.parametrize(
    ("version", "needed"),
    [("", True), ("5.8.1", True), ("5.9", False), ("7.2.2", False), ("10.0", False), ("x", True)],
)
def test_psutil_is_brought_where_it_is_missing_or_old(version: str, needed: bool) -> None:
    assert look({**GOOD, "psutil": version}).needs_psutil == needed


def test_noise_before_and_within_is_passed_over() -> None:
    noise = b"Welcome!\nMOTD M python=/bin/evil-but-marked-late\n\xff\xfe prompt> "
    told = noise.replace(b"M python", b"m python") + said({**GOOD, "libc": "gl\x1bibc"})
    seen = read_look(marked_values(told, "M"), "web")
    assert seen.python == "/usr/bin/python3"
    assert seen.libc == "glibc"
    assert marked_values(b"no newline M a=b=c\nM novalue\n", "M") == [("a", "b=c")]


def test_a_shell_that_does_not_run_is_unreachable() -> None:
    with pytest.raises(UnreachableError, match="did not run a shell script"):
        look({key: value for key, value in GOOD.items() if key != "end"})


def test_another_system_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="Darwin"):
        look({**GOOD, "system": "Darwin"})


def test_no_python_lists_what_was_passed_over() -> None:
    without = {key: value for key, value in GOOD.items() if key != "python"}
    with pytest.raises(ToolkitError) as caught:
        look(without, "passed_over=python3: it is a 32-bit build")
    assert "python3: it is a 32-bit build" in caught.value.message


def test_a_free_threaded_python_needs_its_own_psutil() -> None:
    with pytest.raises(ToolkitError, match="free-threaded"):
        look({**GOOD, "free_threaded": "1", "psutil": ""})
    assert look({**GOOD, "free_threaded": "1"}).python


OWNED = (
    "kit_owner=drwxr-xr-x 0",
    "kit_owner=-rw-r--r-- 0",
    "kit_owner=-rwxr-xr-x. 0",
    "kit_owner=drwxr-xr-x 0",
)


def test_a_prepared_copy_is_used() -> None:
    seen = look({**GOOD, **KIT}, *OWNED)
    assert seen.prepared_python == "/usr/bin/python3"
    assert seen.remarks == ()


@pytest.mark.parametrize(
    ("changes", "owners", "reason"),
    [
        ({"kit_protocol": "2"}, OWNED, "speaks protocol 2"),
        ({}, (*OWNED[:3], "kit_owner=drwxrwxr-x 0"), "written by others"),
        ({}, (*OWNED[:3], "kit_owner=drwxr-xrwx 0"), "written by others"),
        ({}, (*OWNED[:3], "kit_owner=drwxr-xr-x 1000"), "written by others"),
        ({}, ("kit_owner=",), "written by others"),
        ({}, (), "written by others"),
        ({"kit_python": "python3"}, OWNED, "names no Python"),
    ],
)
def test_one_that_cannot_be_trusted_is_not(
    changes: dict[str, str], owners: tuple[str, ...], reason: str
) -> None:
    seen = look({**GOOD, **KIT, **changes}, *owners)
    assert seen.prepared_python == ""
    assert reason in seen.remarks[0]


@pytest.mark.parametrize(
    "folder", ["/tmp/toolkit.Ab3dEf9h", "/var/my tmp/toolkit.________", "/x/toolkit-agent.abcdefgh"]
)
def test_our_folders(folder: str) -> None:
    assert FOLDER_PATTERN.fullmatch(folder)


@pytest.mark.parametrize(
    "folder",
    [
        "/",
        "/tmp",
        "/tmp/toolkit.",
        "/tmp/toolkit.Ab3dEf9h/",
        "/tmp/toolkit.Ab3dEf9h/..",
        "toolkit.Ab3dEf9h",
        "/tmp/toolkit.Ab3dEf9h\n",
        "/tmp/toolkit.Ab3dEf9hX",
        "/tmp/a\ntoolkit.Ab3dEf9h",
        "/home/toolkit",
        "/tmp/nottoolkit.Ab3dEf9h",
        "~/toolkit.Ab3dEf9h",
    ],
)
def test_folders_that_are_never_removed(folder: str) -> None:
    assert not FOLDER_PATTERN.fullmatch(folder)


@pytest.mark.parametrize(
    ("lines", "kind", "told"),
    [
        (["refused=no-write /tmp", "refused=no-write /root"], NotPermittedError, "/tmp cannot be written"),
        (["refused=no-exec /tmp", "refused=no-write /root"], ToolkitError, "/tmp runs no programs (noexec)"),
        (["refused=no-space /a b"], ToolkitError, "/a b has less than 100 MB free"),
        (["folder=/etc"], ToolkitError, "no folder for the agent"),
        ([], ToolkitError, "no temporary folder was found"),
    ],
)
def test_no_folder(lines: list[str], kind: type[ToolkitError], told: str) -> None:
    with pytest.raises(ToolkitError) as caught:
        read_folder(marked_values(said({"end": "ok"}, *lines), "M"), "web")
    assert type(caught.value) is kind
    assert told in caught.value.message


def test_the_same_source_gives_the_same_archive(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("print(1)\n")
    (tmp_path / "z.py").write_text("Z = 1\n")
    (tmp_path / "PROTOCOL.md").write_text("no code")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "z.py").write_text("no")
    first = agent_archive(tmp_path)
    (tmp_path / "z.py").touch()
    assert agent_archive(tmp_path) == first
    with zipfile.ZipFile(io.BytesIO(first)) as packed:
        assert packed.namelist() == ["__main__.py", "z.py"]


def test_a_python_of_our_kind_gets_bytecode_that_runs_and_names_nothing_here(tmp_path: Path) -> None:
    source = tmp_path / "agent"
    source.mkdir()
    (source / "__main__.py").write_text("from z import where\nprint(where())\n")
    (source / "z.py").write_text("def where():\n    return (lambda: where.__code__.co_filename)()\n")
    (tmp_path / "agent.pyz").write_bytes(agent_archive(source, MAGIC_NUMBER.hex()))
    with zipfile.ZipFile(tmp_path / "agent.pyz") as packed:
        assert packed.namelist() == ["__main__.py", "z.pyc"]
        assert str(tmp_path).encode() not in packed.read("z.pyc")
    ran = subprocess.run([sys.executable, "-I", tmp_path / "agent.pyz"], capture_output=True, check=True)
    assert ran.stdout == b"agent/z.py\n"


def test_no_agent_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match="no __main__"):
        agent_archive(tmp_path)


def test_modes_travel() -> None:
    with zipfile.ZipFile(io.BytesIO(archive({"a": (b"x", 0o755)}))) as packed:
        assert packed.getinfo("a").external_attr >> 16 == 0o100755
