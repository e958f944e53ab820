"""The bundled shop: its API, and what its switch does to a checkout."""

from __future__ import annotations

import importlib
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from toolkit.recording.places import carried

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask

BUYERS = 24


@pytest.fixture(autouse=True)
def _found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(carried("demo")))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # the folder goes into the wheel as it lies there


def shop(folder: Path, *, racy: bool = False) -> Flask:
    made: Flask = importlib.import_module("shop.app").create_app(str(folder), racy_checkout=racy)
    return made


def checkouts(app: Flask) -> Counter[int]:
    """Everybody wants the one piece of item 1 at the same time."""
    app.test_client().post("/populate", json={"items": 2, "users": BUYERS})

    together = threading.Barrier(BUYERS)

    def buy(user: int) -> int:
        together.wait(10)
        answer = app.test_client().post("/orders/checkout", json={"id": f"o{user}", "user": user, "item": 1})
        return answer.status_code

    with ThreadPoolExecutor(BUYERS) as pool:
        return Counter(pool.map(buy, range(1, BUYERS + 1)))


def state(app: Flask) -> dict[str, Any]:
    client = app.test_client()
    return {
        "stock": [row["stock"] for row in client.get("/stock/items").get_json()],
        "credit": sum(row["credit"] for row in client.get("/payment/users").get_json()),
        "orders": client.get("/orders").get_json(),
    }


def test_the_sound_checkout_sells_one_piece_once(tmp_path: Path) -> None:
    app = shop(tmp_path)
    assert checkouts(app) == {201: 1, 409: BUYERS - 1}
    after = state(app)
    assert after["stock"] == [0, 1]
    assert after["credit"] == BUYERS - 1
    assert len(after["orders"]) == 1


def test_the_racy_checkout_sells_one_piece_several_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.import_module("shop.checkout"), "THINKING_S", 0.1)
    app = shop(tmp_path, racy=True)
    sold = checkouts(app)[201]
    assert sold > 1
    after = state(app)
    assert after["stock"] == [0, 1]
    assert len(after["orders"]) == sold


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"user": 1, "item": 1}, 201),
        ({"user": 1, "item": 999}, 409),
        ({"user": "1", "item": 1}, 400),
        ({"user": 1, "item": 1, "id": 7}, 400),
        ([], 400),
    ],
)
def test_a_checkout_is_answered(tmp_path: Path, body: object, status: int) -> None:
    client = shop(tmp_path).test_client()
    client.post("/populate", json={})
    assert client.post("/orders/checkout", json=body).status_code == status


def test_an_orders_id_is_taken_once(tmp_path: Path) -> None:
    client = shop(tmp_path).test_client()
    client.post("/populate", json={"stock": 5, "credit": 5})
    order = {"id": "a", "user": 1, "item": 1}
    assert client.post("/orders/checkout", json=order).status_code == 201
    assert client.post("/orders/checkout", json=order).status_code == 409
    assert client.get("/payment/users/1").get_json() == {"id": 1, "credit": 4}
