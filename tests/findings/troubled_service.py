"""A WSGI service with every kind of trouble behind a route of its own; the tests give its text to a gunicorn."""

from __future__ import annotations

import http.client
import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "lib" / "python3" / "site-packages"))
BORN = time.monotonic()
KEPT: list[Any] = []
TICKETS = threading.Semaphore(1)
GIL_WORK = 20_000


def price_basket(seconds: float) -> int:
    """Computes for so long, in Python."""
    end = time.thread_time() + seconds
    total = 0
    while time.thread_time() < end:
        for number in range(200):
            total += number * number
    return total


def rank_offers() -> int:
    """Computes as much as it does, however long that takes."""
    total = 0
    for number in range(GIL_WORK * 10):
        total += number * number
    return total


def ask_database() -> None:
    """Waits in a driver, told by the name of its package."""
    from pymysql.connections import query  # type: ignore[import-untyped]  # made by the tests

    query(0.15)


def ask_upstream() -> None:
    """Waits for another service over HTTP."""
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["UPSTREAM_PORT"]), timeout=5)
    connection.request("GET", "/")
    connection.getresponse().read()
    connection.close()


def take_ticket() -> None:
    """Holds a lock that all threads want."""
    with TICKETS:
        time.sleep(0.1)


def back_off(seconds: float) -> None:
    """Sleeps."""
    time.sleep(seconds)


def keep_session() -> None:
    """Forgets to let go of memory."""
    KEPT.append(os.urandom(400_000))


def keep_file() -> None:
    """Forgets to close a file."""
    KEPT.append(Path(__file__).open())  # noqa: SIM115 - that is the trouble


class Order:
    """In a ring with itself, so that only a collection ends it."""

    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        total = 0
        for number in range(30_000):
            total += number


def place_orders() -> None:
    """Makes work for finalizers."""
    for _ in range(20):
        Order()


def charge_card() -> None:
    """Fails."""
    raise ValueError("the card was declined")


def warm_cache() -> None:
    """The first requests of a worker are slow."""
    if time.monotonic() - BORN < 1.5:
        time.sleep(0.4)


def favourite() -> None:
    """One worker does far more than the others."""
    marker = Path(os.environ["FAVOURITE"])
    if not marker.exists():
        marker.write_text(str(os.getpid()))
    if marker.read_text() == str(os.getpid()):
        price_basket(0.06)


ROUTES: dict[str, Callable[[], object]] = {
    "/ok": lambda: None,
    "/cpu": lambda: price_basket(0.05),
    "/rank": rank_offers,
    "/database": ask_database,
    "/upstream": ask_upstream,
    "/ticket": take_ticket,
    "/sleep": lambda: back_off(0.2),
    "/nap": lambda: back_off(0.005),
    "/hang": lambda: back_off(30),
    "/session": keep_session,
    "/file": keep_file,
    "/orders": place_orders,
    "/card": charge_card,
    "/warm": warm_cache,
    "/favourite": favourite,
}


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answers with the worker's PID, as the tests' gunicorn wants."""
    ROUTES.get(environ["PATH_INFO"], lambda: None)()
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
