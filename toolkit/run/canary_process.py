"""The canary: asks one address at a steady pace, in a process of its own. Run by path, with the standard library alone.

What it is to do comes as one line of JSON on its standard input: `{"url", "rate" (null: by cost), "file", "id", "agent",
"shown" (the url without secrets)}`. When that input ends, it ends: it outlives nobody. What it writes: `records.CANARY_FIELDS`.

Each request has a connection of its own, as that of a new user has: one that is kept would pass by the queue in which new users
wait, and the canary would sing while they choke. One request at a time: where an answer takes longer than the pace, the slots
that it took are left out.
"""

from __future__ import annotations

import http.client
import json
import os
import select
import ssl
import sys
import time
from urllib.parse import urlsplit

RATE = 20.0
SHARE = 0.1
"""Of the time of one worker, at most, that the canary may take of an idle service."""
FIRST = 5
FIRST_EVERY_S = 0.1
TIMEOUT_S = 10.0
MOST_BYTES = 16 << 20
NICENESS = 5


class Canary:
    """One address, and the file that is told how it fared."""

    def __init__(self, told: dict) -> None:  # type: ignore[type-arg]  # as JSON gave it
        parts = urlsplit(told["url"])
        self._host, self._port = parts.hostname or "", parts.port
        self._context = trusting() if parts.scheme == "https" else None
        self._page = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._id, self._agent = told["id"], told["agent"]
        self._rate: float | None = told["rate"]
        self._count = 0
        self._file = os.open(told["file"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._write(
            {"schema": 1, "kind": "canary", "t_ns": time.time_ns(), "url": told["shown"], "rate": self._rate}
        )

    def sing(self) -> None:
        """Until standard input ends."""
        quickest = None
        for _ in range(FIRST):
            answered = self._ask(0.0)
            if answered is not None:
                quickest = answered if quickest is None else min(quickest, answered)
            if told_to_end(FIRST_EVERY_S):
                return
        every_s = self._every_s(quickest)
        idle_ms = None if quickest is None else round(quickest * 1000, 3)
        self._write(
            {"kind": "pace", "t_ns": time.time_ns(), "per_s": round(1 / every_s, 3), "idle_ms": idle_ms}
        )
        began, slot = time.perf_counter(), 0
        while True:
            slot = max(slot + 1, int((time.perf_counter() - began) / every_s) + 1)
            due = began + slot * every_s
            if told_to_end(max(0.0, due - time.perf_counter())):
                return
            self._ask(time.perf_counter() - due)

    def _every_s(self, quickest_s: float | None) -> float:
        if self._rate is not None:
            return 1 / self._rate
        if quickest_s is None:
            return 1.0  # nobody is there: no use in knocking twenty times a second
        return max(1 / RATE, quickest_s / SHARE)

    def _ask(self, late_s: float) -> float | None:
        """One request; the seconds it took where it was answered."""
        self._count += 1
        row = {"t_ns": time.time_ns()}
        began = time.perf_counter()
        status, size, error = None, 0, None
        connection = self._connection()
        try:
            connection.request("GET", self._page, headers=self._headers())
            answer = connection.getresponse()
            status = answer.status
            while block := answer.read(1 << 16):
                size += len(block)
                if size > MOST_BYTES:
                    break
        except (OSError, http.client.HTTPException) as problem:
            error = type(problem).__name__
        finally:
            connection.close()
        took = time.perf_counter() - began
        more = {
            "ms": round(took * 1000, 3),
            "late_ms": round(late_s * 1000, 2),
            "status": status,
            "bytes": size,
            "error": error,
        }
        self._write({**row, **more})
        return took if error is None else None

    def _connection(self) -> http.client.HTTPConnection:
        if self._context is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        return http.client.HTTPSConnection(self._host, self._port, timeout=TIMEOUT_S, context=self._context)

    def _headers(self) -> dict[str, str]:
        return {
            "User-Agent": self._agent,
            "X-Request-ID": f"{self._id}-{self._count}",
            "Accept": "*/*",
            "Accept-Encoding": "gzip, deflate, br",  # as Artillery does, so that sizes can be compared
            "Connection": "close",
        }

    def _write(self, row: dict[str, object]) -> None:
        """A whole line by one call: the process may end at any moment."""
        os.write(self._file, json.dumps(row, separators=(",", ":")).encode() + b"\n")


def trusting() -> ssl.SSLContext:
    """It sends no secret and believes nothing that it is told: a certificate of the house's own is good enough."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def told_to_end(wait_s: float) -> bool:
    """Wait; True as soon as standard input has ended."""
    readable, _, _ = select.select([0], [], [], wait_s)
    return bool(readable) and not os.read(0, 4096)


def main() -> None:
    """Read what to do, and do it until there is nobody left to tell."""
    os.nice(NICENESS)
    told = json.loads(sys.stdin.buffer.readline())
    try:
        Canary(told).sing()
    except OSError as error:
        sys.exit(f"canary: {error}")


if __name__ == "__main__":
    main()
