"""The shop's four gunicorns: what a client and the data meet when one of them is stopped, killed or gone."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest

from tests.bundled_shop import BundledShop, bundled_shop
from tests.gunicorns import until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BundledShop]:
    with bundled_shop(tmp_path_factory.mktemp("shop")) as found:
        yield found


@pytest.fixture
def client(shop: BundledShop) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shop.url, timeout=60) as found:
        found.post("/populate", json={"items": 2, "stock": 5, "users": 2, "credit": 5}).raise_for_status()
        yield found


def state(client: httpx.Client) -> tuple[list[int], list[int], int]:
    return (
        [row["stock"] for row in client.get("/stock/items").json()],
        [row["credit"] for row in client.get("/payment/users").json()],
        len(client.get("/orders").json()),
    )


def workers(shop: BundledShop, service: str) -> list[psutil.Process]:
    return psutil.Process(shop.pid(service)).children()


def test_each_service_has_a_gunicorn_and_a_database_of_its_own(
    shop: BundledShop, client: httpx.Client
) -> None:
    assert client.post("/orders/checkout", json={"user": 1, "item": 1}).status_code == 201
    assert len({shop.pid(name) for name in ("gateway", "stock", "payment", "order")}) == 4
    for service, database in (("stock", "stock"), ("payment", "payment"), ("order", "orders")):
        opened = {Path(file.path).name for worker in workers(shop, service) for file in worker.open_files()}
        assert {name for name in opened if name.endswith(".sqlite")} == {f"{database}.sqlite"}
    assert not any(
        file.path.endswith(".sqlite") for worker in workers(shop, "gateway") for file in worker.open_files()
    )


def test_one_request_has_one_id_in_all_logs(shop: BundledShop, client: httpx.Client) -> None:
    ids = {"X-Request-ID": "one-checkout"}
    client.post("/orders/checkout", json={"user": 1, "item": 1}, headers=ids).raise_for_status()
    found = {
        name: [line["path"] for line in shop.log(name) if line["request_id"] == "one-checkout"]
        for name in ("gateway", "order", "stock", "payment")
    }
    assert found == {
        "gateway": ["/orders/checkout"],
        "order": ["/orders/checkout"],
        "stock": ["/stock/reservations"],
        "payment": ["/payment/charges"],
    }


@pytest.mark.parametrize("replaced", [False, True], ids=["no successor yet", "its successor is there"])
def test_a_worker_that_is_killed_between_the_steps_leaves_nothing_taken(
    shop: BundledShop, client: httpx.Client, replaced: bool
) -> None:
    before = state(client)
    frozen = workers(shop, "payment")
    for worker in frozen:
        worker.suspend()
    try:
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(
                httpx.post, f"{shop.url}/orders/checkout", json={"id": "a", "user": 1, "item": 1}, timeout=60
            )
            until(lambda: shop.rows("stock", "SELECT stock FROM items WHERE id = 1") == [(4,)], "reserved")
            old = set(workers(shop, "order"))
            if replaced:
                os.kill(shop.pid("order"), signal.SIGHUP)
                until(lambda: len(set(workers(shop, "order")) - old) == len(old), "successors")
            for worker in old:
                with contextlib.suppress(psutil.NoSuchProcess):  # one that had nothing to do may have left
                    worker.kill()
            assert answer.result(30).status_code == 502, "nobody knows what became of it"
    finally:
        for worker in frozen:
            worker.resume()
    until(lambda: client.get("/orders/a").status_code == 404, "taken back")
    until(lambda: state(client) == before, "as it was")
    # The charge, which had reached payment's queue, came or comes after it was taken back, and takes nothing.
    assert client.post("/orders/checkout", json={"id": "a", "user": 1, "item": 1}).status_code == 201
    assert state(client) == ([4, 5], [4, 5], 1)


def test_a_service_that_is_away_is_said_and_nothing_is_taken(shop: BundledShop, client: httpx.Client) -> None:
    before = state(client)
    frozen = [psutil.Process(shop.pid("payment")), *workers(shop, "payment")]
    for process in frozen:
        process.suspend()
    try:
        together = threading.Barrier(2)

        def buy(user: int) -> Any:
            together.wait(10)
            return client.post("/orders/checkout", json={"user": user, "item": 1})

        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(buy, (1, 2)))
        assert {answer.status_code for answer in answers} == {503}
        assert all("did not answer" in answer.json()["error"] for answer in answers)
    finally:
        for process in frozen:
            process.send_signal(signal.SIGCONT)
    until(lambda: state(client) == before, "taken back as soon as it answers again")


def test_the_gateway_knows_three_services(client: httpx.Client) -> None:
    assert client.get("/nowhere").status_code == 404
    assert client.get("/stock/items/99").json() == {"error": "there is no such item"}
    assert client.post("/orders", content=b"no JSON").status_code == 400
