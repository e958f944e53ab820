"""How a master ends: a run that is over is over when its workers have said their last word."""

from __future__ import annotations

from typing import Any

import gevent
from locust.rpc import Message
from locust.runners import STATE_MISSING

from locust_recorder.clock import now

_PATIENCE_S = 3.0


def wait_for_workers(runner: Any, environment: Any) -> None:  # noqa: ANN401 - Locust's
    """Locust's own `quit` gives workers half a second, whatever the stop timeout is; what their users still do it never hears."""
    leave = runner.quit
    left = False

    def quit_when_heard() -> None:
        nonlocal left
        if not left:
            left = True
            runner.stop(send_stop_to_client=False)
            for client in runner.clients.all:
                runner.server.send_to_client(Message("quit", None, client.id))
            until = now() + int((environment.stop_timeout + _PATIENCE_S) * 1e9)
            while now() < until and any(client.state != STATE_MISSING for client in runner.clients.all):
                gevent.sleep(0.05)
        leave()

    runner.quit = quit_when_heard
