"""A service that answers one request after another, each in SECONDS: `python limited_service.py SECONDS`; prints its port."""

from __future__ import annotations

import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TAKES_S = float(sys.argv[1])
reserving = threading.Lock()
free_at = 0.0


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        global free_at  # in order of arrival, which a lock would not keep
        with reserving:
            free_at = max(free_at, time.monotonic()) + TAKES_S
            mine = free_at
        time.sleep(max(0.0, mine - time.monotonic()))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


class Service(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, *_: Any) -> None:
        """A client that is gone is none."""


if __name__ == "__main__":
    service = Service(("127.0.0.1", 0), Answer)
    print(service.server_address[1], flush=True)  # noqa: T201 - how the test learns it
    service.serve_forever()
