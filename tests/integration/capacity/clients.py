"""Clients of the tests: what people have as functions and as pytest tests."""

from __future__ import annotations

import os
import threading
import time
import urllib.request

import pytest

lock = threading.Lock()
calls = 0


def ask(target: str) -> None:
    with urllib.request.urlopen(target, timeout=10) as answer:
        assert answer.read() == b"ok"


def every_fourth_fails() -> None:
    global calls
    with lock:
        calls += 1
        mine = calls
    if mine % 4 == 0:
        raise ValueError("the fourth\nand more")


async def says_no() -> bool:
    return False


def slow() -> None:
    time.sleep(0.4)


def kills_itself() -> None:
    time.sleep(0.2)
    os.kill(os.getpid(), 9)


@pytest.fixture(scope="module")
def opened() -> list[str]:
    return []


@pytest.fixture
def basket(opened: list[str]) -> list[str]:
    opened.append("basket")
    return []


def test_empty(basket: list[str]) -> None:
    basket.append("item")
    assert len(basket) == 1, "a fixture of the last repetition was kept"


def test_third_time_is_bad(opened: list[str]) -> None:
    assert len(opened) != 3, "three times"
