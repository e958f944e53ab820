"""The bundled service, for all tests that send files of records to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from toolkit.demo.service import start_demo, stop_demo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.demo.service import DemoState


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoState]:
    """The bundled service; tests must not stop it."""
    folder = tmp_path_factory.mktemp("service") / "demo"
    yield start_demo(folder, ssh=False)
    stop_demo(folder)
