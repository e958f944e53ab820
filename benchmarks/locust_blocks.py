"""Requests of Locust's clients in blocks, with and without our recorder in turn, in one process: `python locust_blocks.py PAIRS`.

Prints, as JSON, for each client a list of [without, with]: µs of CPU a request. Started by locust_recorder_cost.py, as gevent
changes the process that it is imported in.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import locust
from gevent.pywsgi import WSGIServer
from locust.contrib.fasthttp import FastHttpSession
from locust.env import Environment

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "loadtesting" / "lib"))

from locust_recorder import patches
from locust_recorder.event_lines import EventLines
from locust_recorder.phases import Phases
from locust_recorder.recorder import Recorder
from locust_recorder.settings import Settings
from locust_recorder.users import Users

BLOCK = 150


def block(client: Any) -> float:
    """CPU µs a request; the service, which is in this process too, has the same part in every block."""
    began = time.process_time_ns()
    for _ in range(BLOCK):
        client.get("/x", name="x")
    return (time.process_time_ns() - began) / BLOCK / 1e3


def main(pairs: int) -> dict[str, list[list[float]]]:
    """Pairs of blocks for each client."""
    server = WSGIServer(("127.0.0.1", 0), _answer, log=None)
    server.start()
    host = f"http://127.0.0.1:{server.server_port}"
    with tempfile.TemporaryDirectory() as scratch:
        given = Settings(f"{scratch}/parts", f"{scratch}/events.jsonl")
        lines, users = EventLines(given.events), Users(0)
        recorder = Recorder(given, lines, users, Phases(given, lines))
        environment = Environment()

        def listen(**event: Any) -> None:
            call = getattr(event["response"], "toolkit_call", None)
            recorder.reported(call, event) if call is not None else None

        environment.events.request.add_listener(listen)
        plain = _methods()
        patches.install(recorder, users)
        recorded = _methods()
        found = {}
        for kind in (locust.HttpUser, locust.FastHttpUser):
            user = type("Measured", (kind,), {"host": host})(environment)
            block(user.client)
            found[kind.__name__] = [
                [_with(plain, user.client), _with(recorded, user.client)] for _ in range(pairs)
            ]
        recorder.close()
    server.stop()
    return found


def _methods() -> tuple[Any, ...]:
    return (
        locust.clients.HttpSession._send_request_safe_mode,
        FastHttpSession._send_request_safe_mode,
        FastHttpSession.request,
    )


def _with(methods: tuple[Any, ...], client: Any) -> float:
    locust.clients.HttpSession._send_request_safe_mode = methods[0]
    FastHttpSession._send_request_safe_mode, FastHttpSession.request = methods[1:]
    return block(client)


def _answer(_environ: Any, start: Any) -> list[bytes]:
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))
