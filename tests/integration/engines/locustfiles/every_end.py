"""Each way in which a request of a locustfile can end, once."""

import os
import time

import gevent
from locust import FastHttpUser, HttpUser, events, task


def raises(user) -> None:
    raise LookupError("of a task")


class EveryEnd:
    def on_start(self) -> None:
        client = self.client
        client.get("/items/one?token=secret")
        client.get("/items/two", name="two")
        client.post("/login", json={"user": "née"})
        client.get("/broken")
        client.get("/missing")
        client.head("/items/head")
        client.get("/stream")
        client.get("/moved")
        client.get("/items/mine", headers={"X-Request-Id": f"mine-{type(self).__name__}"}, name="mine")
        client.get("/reset")
        client.get(os.environ["CLOSED_PORT_URL"] + "/", name="closed")
        with client.get("/items/bad", catch_response=True) as response:
            response.failure("success: false")
        with client.get("/missing", name="must fail", catch_response=True) as response:
            response.success()
        try:
            with client.get(os.environ["CLOSED_PORT_URL"] + "/", catch_response=True):
                raise ValueError("nothing to read")
        except ValueError:
            pass
        with gevent.Timeout(0.2, False):
            client.get("/slow?s=1", name="given up")
        client.get("/items/unsaid", catch_response=True)
        try:
            with client.get("/items/raised", catch_response=True):
                raise ValueError("in the with block")
        except ValueError:
            pass

    def wait_time(self) -> float:
        return 60


class Slow(EveryEnd, HttpUser):
    fixed_count = 1
    tasks = [raises]


class Fast(EveryEnd, FastHttpUser):
    fixed_count = 1
    tasks = [raises]


class Own(HttpUser):
    """A protocol of its own, and a request that is on its way when the load ends."""

    fixed_count = 1

    @task
    def own(self) -> None:
        began = time.time()
        for error in (None, RuntimeError("own failure")):
            events.request.fire(
                request_type="grpc", name="call", response_time=12.5, response_length=3, exception=error,
                context={}, start_time=began,
            )
        self.client.get("/slow?s=30", name="on its way")
