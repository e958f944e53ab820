"""The real service: one for all tests that only talk to it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
import pytest

from toolkit.demo.service import start_demo, stop_demo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from toolkit.demo.service import DemoState


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoState]:
    folder = tmp_path_factory.mktemp("service") / "demo"
    yield start_demo(folder, ssh=False)
    stop_demo(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """For a demo of one's own; stopped in any case."""
    yield tmp_path / "demo"
    stop_demo(tmp_path / "demo")


@pytest.fixture
def anybody(demo: DemoState) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=demo.url, timeout=10) as client:
        yield client


@pytest.fixture
def clerk(anybody: httpx.Client) -> httpx.Client:
    """Logged in."""
    token = anybody.post("/api/login", json={"user": "csr1", "password": "demo"}).json()["token"]
    anybody.headers["Authorization"] = f"Bearer {token}"
    return anybody


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    """Wait until something is true; fail after ten seconds."""

    def wait(holds: Callable[[], object]) -> None:
        deadline = time.monotonic() + 10
        while not holds():
            assert time.monotonic() < deadline, "it did not come true in 10 s"
            time.sleep(0.02)

    return wait
