"""Which port the service gets."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from toolkit.demo import gunicorn_process
from toolkit.demo.gunicorn_process import choose_port
from toolkit.errors import ToolkitError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_the_usual_port_is_taken_where_it_is_free(monkeypatch: pytest.MonkeyPatch, taken: int) -> None:
    free = choose_port(None)
    monkeypatch.setattr(gunicorn_process, "DEFAULT_PORT", free)
    assert choose_port(None) == free
    monkeypatch.setattr(gunicorn_process, "DEFAULT_PORT", taken)
    assert choose_port(None) not in {0, taken}


def test_a_port_that_somebody_has_is_refused_by_its_number(taken: int) -> None:
    with pytest.raises(ToolkitError, match=rf"Port {taken} of 127\.0\.0\.1 is taken"):
        choose_port(taken)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_number_that_is_no_port_is_bad_usage(port: int) -> None:
    with pytest.raises(UsageError, match=f"{port} is no port"):
        choose_port(port)
