"""Six scenarios of a shop's checkout as Locust users; `locust -f loadtesting/checkout.py` plays them as well.

Where the services are says `urls.json` beside this file; a variable of the environment of the same name (ORDER_URL,
PAYMENT_URL, STOCK_URL) says otherwise. MIN_WAIT and MAX_WAIT are seconds between a user's scenarios (1 and 3). The `weight` of a
class is its share of the users.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

from locust import HttpUser, between, task
from locust.exception import RescheduleTask

_GIVEN = json.loads((Path(__file__).parent / "urls.json").read_text(encoding="utf-8"))
ORDER, PAYMENT, STOCK = (
    str(os.environ.get(name) or _GIVEN[name]).rstrip("/")
    for name in ("ORDER_URL", "PAYMENT_URL", "STOCK_URL")
)
CREATED, REFUSED, LOWEST_ERROR = 201, 409, 400
PLENTY = 10_000


class Shopper(HttpUser):
    """The steps that scenarios are made of. Each checks its answer."""

    abstract = True
    host = ORDER
    wait_time = between(float(os.environ.get("MIN_WAIT") or 1), float(os.environ.get("MAX_WAIT") or 3))

    @task
    def scenario(self) -> None:
        """Play it once."""
        self.play()

    def play(self) -> None:
        """The scenario."""
        raise NotImplementedError

    def new_item(self) -> int:
        """An admin creates one."""
        made = self._ask(
            "POST", f"{STOCK}/stock/items", "/stock/items", CREATED, {"price": random.randint(1, 10)}
        )
        return int(made["id"])

    def add_stock(self, item: int, what: str = "") -> int:
        """An admin adds some of it; how many there are then."""
        amount = random.randint(100, 1000)
        path = f"/stock/items/[item]/add{what}"
        self._ask("POST", f"{STOCK}/stock/items/{item}/add", path, 200, {"amount": amount}, {"stock": amount})
        return amount

    def take_stock(self, item: int, amount: int) -> None:
        """An admin takes some away."""
        path = "/stock/items/[item]/subtract"
        self._ask("POST", f"{STOCK}/stock/items/{item}/subtract", path, 200, {"amount": amount})

    def new_user(self, credit: int) -> int:
        """Somebody opens an account, and pays in where there is credit to come."""
        user = int(self._ask("POST", f"{PAYMENT}/payment/users", "/payment/users", CREATED, {})["id"])
        if credit:
            path = "/payment/users/[user]/add"
            self._ask(
                *("POST", f"{PAYMENT}/payment/users/{user}/add", path, 200),
                {"amount": credit},
                {"credit": credit},
            )
        return user

    def new_order(self, user: int) -> str:
        """An empty one."""
        return str(self._ask("POST", f"{ORDER}/orders", "/orders", CREATED, {"user": user})["id"])

    def put(self, order: str, item: int) -> None:
        """One item into an order."""
        path = "/orders/[order]/items"
        self._ask("POST", f"{ORDER}/orders/{order}/items", path, CREATED, {"item": item})

    def take_out(self, order: str, item: int) -> None:
        """An item out of it again."""
        self._ask("DELETE", f"{ORDER}/orders/{order}/items/{item}", "/orders/[order]/items/[item]", 200)

    def check_out(self, order: str, what: str) -> None:
        """Pay."""
        path = f"/orders/[order]/checkout, {what}"
        self._ask("POST", f"{ORDER}/orders/{order}/checkout", path, CREATED, None, {"state": "paid"})

    def must_fail(self, order: str, lack: str) -> None:
        """A checkout that has to be refused: it fails where it succeeds."""
        name = f"/orders/[order]/checkout, must fail: {lack}"
        with self.client.post(f"{ORDER}/orders/{order}/checkout", name=name, catch_response=True) as answer:
            if answer.status_code == REFUSED:
                answer.success()
            elif 0 < answer.status_code < LOWEST_ERROR:
                answer.failure(f"succeeded with {lack}")

    def _ask(
        self,
        method: str,
        url: str,
        name: str,
        status: int,
        body: dict[str, Any] | None = None,
        wanted: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The answer's JSON object; it must have this status, and in it what is wanted."""
        with self.client.request(method, url, name=name, json=body, catch_response=True) as answer:
            said = _judged(answer, status, wanted or {})
        if said is None:
            raise RescheduleTask  # which is counted there: what would follow has nothing to go on with
        return said


def _judged(answer: Any, status: int, wanted: dict[str, Any]) -> dict[str, Any] | None:  # noqa: ANN401 - of Locust
    if answer.status_code != status:
        if 0 < answer.status_code < LOWEST_ERROR:  # else Locust counts it as failed by itself
            answer.failure(f"{answer.status_code} instead of {status}")
        return None
    try:
        said = answer.json()
    except ValueError:
        said = None
    if not isinstance(said, dict):
        answer.failure("no JSON object")
        return None
    for field, value in wanted.items():
        if said.get(field) != value:
            answer.failure(f"{field} is not as it should be")
            return None
    return said


class AdminAddsStock(Shopper):
    """An admin creates an item and adds stock to it."""

    weight = 5

    def play(self) -> None:
        """See the class."""
        self.add_stock(self.new_item(), ", admin alone")


class BuysOne(Shopper):
    """A user checks out an order of one item."""

    weight = 30

    def play(self) -> None:
        """See the class."""
        item = self.new_item()
        self.add_stock(item)
        order = self.new_order(self.new_user(PLENTY))
        self.put(order, item)
        self.check_out(order, "one item")


class BuysTwo(Shopper):
    """A user checks out an order of two items."""

    weight = 25

    def play(self) -> None:
        """See the class."""
        items = [self.new_item(), self.new_item()]
        for item in items:
            self.add_stock(item)
        order = self.new_order(self.new_user(PLENTY))
        for item in items:
            self.put(order, item)
        self.check_out(order, "two items")


class RegretsAndBuys(Shopper):
    """A user adds an item, regrets it and removes it, adds it again and checks out."""

    weight = 20

    def play(self) -> None:
        """See the class."""
        item = self.new_item()
        self.add_stock(item)
        order = self.new_order(self.new_user(PLENTY))
        self.put(order, item)
        self.take_out(order, item)
        self.put(order, item)
        self.check_out(order, "after a regret")


class LacksStock(Shopper):
    """A checkout that must fail: of two items one is sold out meanwhile."""

    weight = 10

    def play(self) -> None:
        """See the class."""
        here, gone = self.new_item(), self.new_item()
        self.add_stock(here)
        there_were = self.add_stock(gone)
        order = self.new_order(self.new_user(PLENTY))
        self.put(order, here)
        self.put(order, gone)
        self.take_stock(gone, there_were)
        self.must_fail(order, "too little stock")


class LacksCredit(Shopper):
    """A checkout that must fail: the user has no credit."""

    weight = 10

    def play(self) -> None:
        """See the class."""
        item = self.new_item()
        self.add_stock(item)
        order = self.new_order(self.new_user(0))
        self.put(order, item)
        self.must_fail(order, "too little credit")
