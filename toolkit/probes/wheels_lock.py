"""Renews `profile/wheels.lock`, at the py-spy that pyproject.toml pins: `python -m toolkit.probes.wheels --renew`."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from toolkit.errors import ToolkitError
from toolkit.probes.wheels import LOCK, Wheel, pip_download_argv
from toolkit.recording.files import write_atomically
from toolkit.recording.places import carried

_PSUTIL = "7.2.2"
_HEAD = """\
# The wheels brought to a server, by hash. Written by `python -m toolkit.probes.wheels --renew`; do not edit.
# py-spy's executable is linked statically: the one of the manylinux wheel serves musl too.
"""

_WANTED = (
    ("py-spy", "x86_64", ("glibc", "musl"), "manylinux1_x86_64"),
    ("py-spy", "aarch64", ("glibc", "musl"), "manylinux2014_aarch64"),
    ("psutil", "x86_64", ("glibc",), "manylinux2010_x86_64"),
    ("psutil", "x86_64", ("musl",), "musllinux_1_2_x86_64"),
    ("psutil", "aarch64", ("glibc",), "manylinux2014_aarch64"),
    ("psutil", "aarch64", ("musl",), "musllinux_1_2_aarch64"),
)


def pyspy_version(pyproject: Path) -> str:
    """The exact py-spy that pyproject.toml asks for.

    Raises:
        ToolkitError: it is not pinned there.
    """
    for dependency in tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]["dependencies"]:
        name, pinned, version = str(dependency).partition("==")
        if name.strip() == "py-spy" and pinned:
            return version.strip()
    raise ToolkitError(f"{pyproject} does not pin py-spy with `==`.")


def render(wheels: list[Wheel]) -> str:
    """The text of the lock file."""
    blocks = [_HEAD]
    for wheel in wheels:
        libcs = ", ".join(f'"{libc}"' for libc in wheel.libcs)
        blocks.append(
            f'[[wheel]]\nname = "{wheel.name}"\nversion = "{wheel.version}"\nmachine = "{wheel.machine}"\n'
            f'libcs = [{libcs}]\nplatform = "{wheel.platform}"\n'
            f'file = "{wheel.file}"\nsha256 = "{wheel.sha256}"\n'
        )
    return "\n".join(blocks)


def resolve(versions: dict[str, str]) -> list[Wheel]:
    """Download every wanted wheel once and take its name and hash.

    Raises:
        ToolkitError: pip could not bring one.
    """
    return [
        _resolve_one(name, versions[name], machine, libcs, platform)
        for name, machine, libcs, platform in _WANTED
    ]


def _resolve_one(name: str, version: str, machine: str, libcs: tuple[str, ...], platform: str) -> Wheel:
    with tempfile.TemporaryDirectory() as folder:
        argv = [*pip_download_argv(platform, Path(folder)), f"{name}=={version}"]
        if subprocess.run(argv, stdin=subprocess.DEVNULL, check=False, timeout=300).returncode != 0:
            raise ToolkitError(f"pip could not download {name} {version} for {platform}.")
        (file,) = Path(folder).glob("*.whl")
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Wheel(name, version, machine, libcs, platform, file.name, digest)


def main() -> None:
    """Write the lock anew."""
    profile = carried("profile")
    versions = {"py-spy": pyspy_version(profile.parent / "pyproject.toml"), "psutil": _PSUTIL}
    write_atomically(profile / LOCK, render(resolve(versions)))
    (profile / LOCK).chmod(0o644)
    sys.stderr.write(f"{profile / LOCK}: {len(_WANTED)} wheels\n")
