"""The bundled shop without its gunicorns: its API, what its switches do, and what is taken back of a checkout that fails."""

from __future__ import annotations

import importlib
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from toolkit.recording.places import carried

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flask import Flask
    from werkzeug.test import TestResponse

BUYERS = 24


@pytest.fixture(autouse=True)
def _found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(carried("demo")))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # the folder goes into the wheel as it lies there


class Shop:
    """The three services in this process. The order service reaches the others through `lines`, which a test may cut."""

    def __init__(self, folder: Path, **switches: bool) -> None:
        create = importlib.import_module("shop.app").create_app
        self.apps: dict[str, Flask] = {
            name: create(name, str(folder), {}, **switches) for name in ("stock", "payment")
        }
        self.lines: dict[str, Callable[..., Any]] = {name: self._straight(name) for name in self.apps}
        senders = {name: lambda *call, name=name: self.lines[name](*call) for name in self.apps}
        self.apps["order"] = create("order", str(folder), {}, senders=senders)
        self.asked: list[tuple[str, str]] = []

    def _straight(self, name: str) -> Callable[..., Any]:
        def send(method: str, path: str, body: Any) -> tuple[int, Any]:
            self.asked.append((method, path.rsplit("/", 1)[0] if method == "DELETE" else path))
            answer = self.apps[name].test_client().open(path, method=method, json=body)
            return answer.status_code, answer.get_json(silent=True)

        return send

    def call(self, method: str, path: str, body: object = None) -> TestResponse:
        name = {"stock": "stock", "payment": "payment", "orders": "order"}[path.split("/")[1]]
        return self.apps[name].test_client().open(path, method=method, json=body)

    def populate(self, **asked: int) -> None:
        for part in ("stock", "payment", "orders"):
            assert self.call("POST", f"/{part}/populate", asked).status_code == 201

    def state(self) -> dict[str, Any]:
        return {
            "stock": [row["stock"] for row in self.call("GET", "/stock/items").get_json()],
            "credit": sum(row["credit"] for row in self.call("GET", "/payment/users").get_json()),
            "orders": len(self.call("GET", "/orders").get_json()),
        }

    def cut(self, name: str, times: int, *, after: bool, method: str = "POST") -> None:
        """Have the next such requests to a service end without an answer: before it has heard of them, or after."""
        straight, left = self.lines[name], [times]
        unanswered = importlib.import_module("shop.answers").UnansweredError

        def send(verb: str, path: str, body: Any) -> Any:
            if verb != method or not left[0]:
                return straight(verb, path, body)
            left[0] -= 1
            if after:
                straight(verb, path, body)
            raise unanswered(f"{name} did not answer")

        self.lines[name] = send


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    found = Shop(tmp_path)
    found.populate(items=2, users=2, stock=5, credit=5)
    return found


def checkouts(shop: Shop) -> Counter[int]:
    """Everybody wants the one piece of item 1 at the same time."""
    shop.populate(items=2, users=BUYERS)
    together = threading.Barrier(BUYERS)

    def buy(user: int) -> int:
        together.wait(10)
        return shop.call("POST", "/orders/checkout", {"id": f"o{user}", "user": user, "item": 1}).status_code

    with ThreadPoolExecutor(BUYERS) as pool:
        return Counter(pool.map(buy, range(1, BUYERS + 1)))


def test_the_sound_checkout_sells_one_piece_once(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    assert checkouts(shop) == {201: 1, 409: BUYERS - 1}
    assert shop.state() == {"stock": [0, 1], "credit": BUYERS - 1, "orders": 1}


def test_the_racy_checkout_sells_one_piece_several_times(tmp_path: Path) -> None:
    shop = Shop(tmp_path, racy=True)
    sold = checkouts(shop)[201]
    assert sold > 1
    assert shop.state() == {"stock": [0, 1], "credit": BUYERS - sold, "orders": sold}


def test_a_shop_that_does_not_check_sells_what_is_not_there(tmp_path: Path) -> None:
    shop = Shop(tmp_path, unchecked=True)
    assert checkouts(shop) == {201: BUYERS}
    assert shop.state()["stock"] == [1 - BUYERS, 1]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"user": 1, "item": 1}, 201),
        ({"user": 1, "item": 999}, 409),
        ({"user": 999, "item": 1}, 409),
        ({"user": "1", "item": 1}, 400),
        ({"user": 1, "item": 1, "id": 7}, 400),
        ([], 400),
    ],
)
def test_a_checkout_is_answered(shop: Shop, body: object, status: int) -> None:
    before = shop.state()
    assert shop.call("POST", "/orders/checkout", body).status_code == status
    sold = status == 201
    assert shop.state() == {
        "stock": [5 - sold, 5],
        "credit": before["credit"] - sold,
        "orders": int(sold),
    }


def test_an_orders_id_is_taken_once(shop: Shop) -> None:
    order = {"id": "a", "user": 1, "item": 1}
    assert shop.call("POST", "/orders/checkout", order).status_code == 201
    assert shop.call("POST", "/orders/checkout", order).status_code == 409
    assert shop.call("GET", "/payment/users/1").get_json() == {"id": 1, "credit": 4}


def test_an_order_is_put_together_and_paid(shop: Shop) -> None:
    order = shop.call("POST", "/orders", {"user": 1}).get_json()["id"]
    assert shop.call("POST", f"/orders/{order}/checkout").status_code == 409, "there is nothing in it"
    shop.call("POST", f"/orders/{order}/items", {"item": 1})
    assert shop.call("DELETE", f"/orders/{order}/items/1").get_json()["items"] == []
    assert shop.call("DELETE", f"/orders/{order}/items/1").status_code == 404
    shop.call("POST", f"/orders/{order}/items", {"item": 1, "quantity": 2})
    shop.call("POST", f"/orders/{order}/items", {"item": 2})
    paid = shop.call("POST", f"/orders/{order}/checkout")
    assert paid.status_code == 201
    assert paid.get_json() == {
        "id": order,
        "user": 1,
        "state": "paid",
        "price": 3,
        "items": [{"item": 1, "quantity": 2}, {"item": 2, "quantity": 1}],
    }
    assert shop.state() == {"stock": [3, 4], "credit": 7, "orders": 1}
    for call in (("POST", "/checkout"), ("POST", "/items", {"item": 1}), ("DELETE", "/items/1")):
        assert shop.call(call[0], f"/orders/{order}{call[1]}", *call[2:]).status_code == 409, "it is paid"
    assert shop.call("POST", "/orders/none/checkout").status_code == 404


def test_of_an_order_that_lacks_one_item_nothing_is_taken(shop: Shop) -> None:
    order = shop.call("POST", "/orders", {"user": 1}).get_json()["id"]
    shop.call("POST", f"/orders/{order}/items", {"item": 1})
    shop.call("POST", f"/orders/{order}/items", {"item": 2})
    shop.call("POST", "/stock/items/2/subtract", {"amount": 5})
    assert shop.call("POST", "/stock/items/2/subtract", {"amount": 1}).status_code == 409
    refused = shop.call("POST", f"/orders/{order}/checkout")
    assert (refused.status_code, refused.get_json()) == (409, {"error": "out of stock"})
    assert shop.state() == {"stock": [5, 0], "credit": 10, "orders": 0}
    assert ("DELETE", "/stock/reservations") not in shop.asked, "there was nothing to take back"


def test_what_was_reserved_is_given_back_where_the_credit_does_not_suffice(shop: Shop) -> None:
    order = shop.call("POST", "/orders", {"user": 1}).get_json()["id"]
    shop.call("POST", f"/orders/{order}/items", {"item": 1, "quantity": 3})
    shop.call("POST", f"/orders/{order}/items", {"item": 2, "quantity": 3})
    refused = shop.call("POST", f"/orders/{order}/checkout")
    assert (refused.status_code, refused.get_json()) == (409, {"error": "not enough credit"})
    assert shop.state() == {"stock": [5, 5], "credit": 10, "orders": 0}
    shop.call("POST", "/payment/users/1/add", {"amount": 1})
    assert shop.call("POST", f"/orders/{order}/checkout").status_code == 201, "it was open again"
    assert shop.state() == {"stock": [2, 2], "credit": 5, "orders": 1}


@pytest.mark.parametrize("after", [False, True], ids=["never heard", "answer lost"])
@pytest.mark.parametrize("name", ["stock", "payment"])
def test_what_a_silent_service_may_have_done_is_taken_back(shop: Shop, name: str, after: bool) -> None:
    shop.cut(name, 1, after=after)
    order = {"id": "a", "user": 1, "item": 1}
    assert shop.call("POST", "/orders/checkout", order).status_code == 503
    assert shop.state() == {"stock": [5, 5], "credit": 10, "orders": 0}
    assert shop.call("POST", "/orders/checkout", order).status_code == 201, "the id is free again"
    assert shop.state() == {"stock": [4, 5], "credit": 9, "orders": 1}


def test_what_cannot_be_taken_back_at_once_is_taken_back_later(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.import_module("shop.leftovers"), "_AGAIN_S", 0.01)
    shop.apps["order"].extensions["shop.leftovers"].watch()
    shop.cut("payment", 1, after=True)
    shop.cut("stock", 3, after=False, method="DELETE")
    order = shop.call("POST", "/orders", {"user": 1}).get_json()["id"]
    shop.call("POST", f"/orders/{order}/items", {"item": 1})
    assert shop.call("POST", f"/orders/{order}/checkout").status_code == 503
    until(lambda: shop.call("GET", f"/orders/{order}").get_json()["state"] == "open")
    assert shop.state() == {"stock": [5, 5], "credit": 10, "orders": 0}


def test_a_request_that_comes_after_it_was_taken_back_takes_nothing(shop: Shop) -> None:
    for path, body in (
        ("/stock/reservations", {"items": [{"item": 1}]}),
        ("/payment/charges", {"user": 1, "amount": 1}),
    ):
        assert shop.call("DELETE", f"{path}/late").status_code == 204
        assert shop.call("POST", path, {"id": "late", **body}).status_code == 409
        assert shop.call("POST", path, {"id": "twice", **body}).status_code == 201
        assert shop.call("POST", path, {"id": "twice", **body}).status_code == 201
        for _ in range(2):
            assert shop.call("DELETE", f"{path}/twice").status_code == 204
    assert shop.state() == {"stock": [5, 5], "credit": 10, "orders": 0}


def test_a_new_worker_takes_back_what_a_dead_one_had_on_its_way(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    class DiedError(BaseException):
        pass

    def dies(*_: object) -> None:
        raise DiedError

    checkout = shop.apps["order"].extensions["shop.checkout"]
    with monkeypatch.context() as patched:
        patched.setattr(type(checkout), "_keep", dies)  # both services have done their part
        patched.setattr(type(checkout), "take_back", dies)
        with pytest.raises(DiedError):
            shop.call("POST", "/orders/checkout", {"id": "a", "user": 1, "item": 1})
    assert shop.state() == {"stock": [4, 5], "credit": 9, "orders": 0}
    assert shop.call("POST", "/orders/a/checkout").status_code == 409, "it is on its way"
    shop.apps["order"].extensions["shop.leftovers"].watch()
    until(lambda: shop.call("GET", "/orders/a").status_code == 404)
    assert shop.state() == {"stock": [5, 5], "credit": 10, "orders": 0}


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in 10 s"
        time.sleep(0.01)
