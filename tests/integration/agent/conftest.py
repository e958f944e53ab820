"""Gunicorns and agents for the agent's own tests."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

from tests.gunicorns import Gunicorn, shared_folder
from tests.integration.agent.driver import PY_SPY, Agent


@pytest.fixture(autouse=True)
def _needed_parts() -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("the agent reads /proc: Linux only")
    if not PY_SPY.exists():
        pytest.skip(f"py-spy is not installed beside {sys.executable}")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that every user may read."""
    with shared_folder() as path:
        yield path


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Gunicorn]:
    """A gunicorn with two gthread workers that only this module uses, and does not change."""
    with Gunicorn(folder / "service", "gthread", 2, ["--threads", "3", "--name", "service"]) as gunicorn:
        yield gunicorn


@pytest.fixture
def agent() -> Iterator[Agent]:
    """An agent that has been greeted."""
    with Agent(hello={"grace_s": 20, "max_s": 100}) as running:
        yield running
