"""The checkout over three services: reserve the stock, take the credit, keep the order; what fails is taken back.

No transaction spans them. Each attempt holds what it takes under an id of its own, which can be let go as often as one likes,
even before it was taken: whatever is lost on the way, taking back what may have been taken is right. What stays of an attempt
whose worker dies is an order that is `pending`, and what it holds; `leftovers.py` takes it back.
"""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shop.answers import RefusedError, UnansweredError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shop.database import Database
    from shop.services import Service

OPEN, PENDING, PAID = "open", "pending", "paid"
NOBODY = 0
"""In the place of a worker: what this attempt holds waits to be taken back."""
_HELD_AT = {"stock": "/stock/reservations", "payment": "/payment/charges"}


@dataclass(frozen=True)
class Attempt:
    """One try to pay an order; `hold` is its id at the other services."""

    order: str
    hold: str


class Checkout:
    """Pays orders of one database."""

    def __init__(self, database: Database, stock: Service, payment: Service) -> None:
        self._database, self._stock, self._payment = database, stock, payment

    def pay(self, order: str) -> int:
        """Pay an open order; its price.

        Raises:
            RefusedError: it did not take place, and nothing is held.
            UnansweredError: it did not take place. What a service that does not answer may hold is taken back later.
        """
        attempt, user, lines = self._begin(order)
        touched: list[Service] = []
        try:
            reserved = self._hold(attempt, self._stock, touched, {"items": lines})
            price = int(reserved["price"])
            self._hold(attempt, self._payment, touched, {"user": user, "amount": price})
            self._keep(attempt, price)
        except BaseException:
            self.take_back(attempt, touched)
            raise
        return price

    def take_back(self, attempt: Attempt, touched: Iterable[Service] | None = None) -> None:
        """Let go of what an attempt holds, then open its order again.

        Args:
            attempt: one that will not be gone on with.
            touched: the services that may hold something; None: any may.

        Raises:
            UnansweredError: one did not answer; the attempt is nobody's then, and can be taken back again.
        """
        try:
            for service in (self._stock, self._payment) if touched is None else touched:
                service.ask("DELETE", f"{_HELD_AT[service.name]}/{attempt.hold}")
        except UnansweredError:
            self._database.rows(
                "UPDATE purchases SET worker = ? WHERE hold = ? AND state = ?", NOBODY, attempt.hold, PENDING
            )
            raise
        with self._database.alone() as connection:
            statement = "SELECT id FROM purchases WHERE hold = ? AND state = ? AND once"
            for (order,) in connection.execute(statement, (attempt.hold, PENDING)).fetchall():
                connection.execute("DELETE FROM lines WHERE purchase = ?", (order,))
                connection.execute("DELETE FROM purchases WHERE id = ?", (order,))
            connection.execute(
                "UPDATE purchases SET state = ?, hold = NULL, worker = NULL WHERE hold = ? AND state = ?",
                (OPEN, attempt.hold, PENDING),
            )

    def _begin(self, order: str) -> tuple[Attempt, int, list[dict[str, Any]]]:
        attempt = Attempt(order, uuid.uuid4().hex)
        with self._database.alone() as connection:
            lines = connection.execute(
                "SELECT item, quantity FROM lines WHERE purchase = ?", (order,)
            ).fetchall()
            if not lines:
                raise RefusedError("there is nothing in this order")
            begun = connection.execute(
                "UPDATE purchases SET state = ?, hold = ?, worker = ? WHERE id = ? AND state = ? RETURNING user",
                (PENDING, attempt.hold, os.getpid(), order, OPEN),
            ).fetchall()
            if not begun:
                raise RefusedError("this order is paid, or on its way")
        return attempt, begun[0][0], [{"item": item, "quantity": quantity} for item, quantity in lines]

    def _hold(self, attempt: Attempt, service: Service, touched: list[Service], what: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON
        # Before it is asked: from then on it may hold something, answer or not.
        touched.append(service)
        try:
            return service.ask("POST", _HELD_AT[service.name], {"id": attempt.hold, **what})
        except RefusedError:
            touched.remove(service)
            raise

    def _keep(self, attempt: Attempt, price: int) -> None:
        kept = self._database.rows(
            "UPDATE purchases SET state = ?, price = ?, worker = NULL WHERE hold = ? AND state = ? RETURNING id",
            PAID, price, attempt.hold, PENDING,
        )  # fmt: skip
        if not kept:
            raise UnansweredError("this checkout was taken back meanwhile")
