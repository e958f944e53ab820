"""The pinned wheels of py-spy and psutil: which one a server needs, fetched once, checked at every use.

The package index is the operator's own: pip is asked, with its configuration, and nothing here names a host.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from toolkit.errors import ToolkitError, UsageError
from toolkit.recording.files import write_atomically
from toolkit.recording.places import cache_folder, carried

LOCK = "wheels.lock"
LIBCS = ("glibc", "musl")
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
_PIP_SECONDS = 180


@dataclass(frozen=True)
class Wheel:
    """One line of `profile/wheels.lock`."""

    name: str
    version: str
    machine: str
    libcs: tuple[str, ...]
    platform: str
    """The platform tag by which pip finds it."""
    file: str
    sha256: str


def locked_wheels(lock: Path | None = None) -> list[Wheel]:
    """Every pinned wheel.

    Raises:
        ToolkitError: the lock file is missing or broken.
    """
    path = lock or carried("profile") / LOCK
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8"))["wheel"]
        return [Wheel(**{**row, "libcs": tuple(row["libcs"])}) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ToolkitError(f"{path} cannot be read: {error}.", "Renew it with `make lock`.") from error


def wheel_for(name: str, machine: str, libc: str, wheels: list[Wheel] | None = None) -> Wheel:
    """The wheel of `name` for a server's `uname -m` and libc (`glibc` or `musl`).

    Raises:
        UsageError: there is none; names what is supported.
    """
    pinned = locked_wheels() if wheels is None else wheels
    wanted = _MACHINES.get(machine.lower(), machine)
    for wheel in pinned:
        if wheel.name == name and wheel.machine == wanted and libc in wheel.libcs:
            return wheel
    supported = sorted({f"{w.machine} ({libc_})" for w in pinned if w.name == name for libc_ in w.libcs})
    raise UsageError(
        f"There is no {name} for a server of machine {machine!r} with C library {libc!r}.",
        f"Supported are Linux servers of these kinds: {', '.join(supported)}.",
    )


def fetch_wheel(name: str, machine: str, libc: str) -> Path:
    """The path of a verified wheel: in `TOOLKIT_WHEELS`, in the cache, or else downloaded into it by pip.

    The hash is checked at every use, so that a file changed in the cache is never carried to a server.

    Raises:
        UsageError: no such platform, or a file in `TOOLKIT_WHEELS` that is not the pinned one.
        ToolkitError: not there, not to be downloaded; says which file, and how to put it there by hand.
    """
    wheel = wheel_for(name, machine, libc)
    by_hand = os.environ.get("TOOLKIT_WHEELS")
    if by_hand:
        found = Path(by_hand) / wheel.file
        if _is_pinned(found, wheel):
            return found
        if found.exists():
            raise UsageError(
                f"{found} is not the pinned {wheel.name} {wheel.version}: its SHA-256 differs.",
                f"Expected {wheel.sha256}.",
            )
    cached = cache_folder() / "wheels" / wheel.file
    if not _is_pinned(cached, wheel):
        _download(wheel, cached)
    return cached


def _is_pinned(path: Path, wheel: Wheel) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == wheel.sha256
    except OSError:
        return False


def _download(wheel: Wheel, destination: Path) -> None:
    """Let pip fetch it beside its place, check it once more, and only then put it there."""
    if importlib.util.find_spec("pip") is None:
        raise _not_there(wheel, f"{sys.executable} has no pip to download it with")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=destination.parent, prefix=".download-") as folder:
            fetched = _pip_download(wheel, Path(folder))
            if not _is_pinned(fetched, wheel):
                raise _not_there(wheel, "what pip brought has another SHA-256")
            write_atomically(destination, fetched.read_bytes())
    except OSError as error:
        raise _not_there(wheel, f"{destination.parent} cannot be written ({error.strerror})") from error


def _pip_download(wheel: Wheel, folder: Path) -> Path:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}\n", encoding="utf-8")
    argv = pip_download_argv(wheel.platform, folder)
    argv += ["--require-hashes", "-r", str(requirements)]
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PIP_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise _not_there(wheel, f"pip did not finish within {_PIP_SECONDS} s") from None
    if done.returncode != 0:
        raise _not_there(wheel, f"pip could not download it ({_pip_reason(done.stderr)})")
    return folder / wheel.file


def pip_download_argv(platform: str, folder: Path) -> list[str]:
    """`pip download` of one wheel for another platform; the requirement is for the caller to add."""
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    argv += ["--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
    # Named in full: what Python runs on this side must not change what is found for the server.
    argv += ["--implementation", "cp", "--python-version", "3.11", "--abi", "abi3", "--platform", platform]
    return argv


def _pip_reason(stderr: bytes) -> str:
    """In few words what pip said. Not its own: it may quote an index URL with a password in it."""
    text = stderr.decode("utf-8", "replace").lower()
    if "do not match the hashes" in text:
        return "the hash does not match"
    if "no matching distribution" in text:
        return "the configured package index does not have it, or could not be reached"
    return "the package index could not be reached, or refused"


def _not_there(wheel: Wheel, reason: str) -> ToolkitError:
    return ToolkitError(
        f"{wheel.name} {wheel.version} for {wheel.machine} is not on this machine: {reason}.",
        f"Put {wheel.file} (from PyPI) into a folder of your choice and set TOOLKIT_WHEELS to it.",
    )


if __name__ == "__main__":
    if sys.argv[1:] != ["--renew"]:
        sys.exit("usage: python -m toolkit.probes.wheels --renew")
    from toolkit.probes.wheels_lock import main

    main()
