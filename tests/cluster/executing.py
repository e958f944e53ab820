"""`kubectl exec`'s other end: between its websocket (v5.channel.k8s.io) and a process."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from simple_websocket import ConnectionClosed

if TYPE_CHECKING:
    import subprocess

_STDIN, _STDOUT, _STDERR, _ERROR, _CLOSE = b"\x00", b"\x01", b"\x02", b"\x03", b"\xff"


def bridge(connection: Any, process: subprocess.Popen[bytes]) -> None:
    """Until the process has ended."""
    sending = threading.Lock()
    pumps = [
        threading.Thread(target=_pump, args=(connection, sending, channel, stream), daemon=True)
        for channel, stream in ((_STDOUT, process.stdout), (_STDERR, process.stderr))
    ]
    feeder = threading.Thread(target=_feed, args=(connection, process), daemon=True)
    for thread in (*pumps, feeder):
        thread.start()
    for thread in pumps:
        thread.join()
    code = process.wait()
    feeder.join()
    causes = {"causes": [{"reason": "ExitCode", "message": str(code)}]}
    status = {
        "status": "Failure",
        "reason": "NonZeroExitCode",
        "message": f"exit code {code}",
        "details": causes,
    }
    try:
        with sending:
            connection.send(_ERROR + json.dumps(status if code else {"status": "Success"}).encode())
        connection.close()
    except ConnectionClosed:
        return


def _pump(connection: Any, sending: threading.Lock, channel: bytes, stream: Any) -> None:
    with stream:
        while data := stream.read(65536):
            try:
                with sending:
                    connection.send(channel + data)
            except ConnectionClosed:
                return


def _feed(connection: Any, process: subprocess.Popen[bytes]) -> None:
    assert process.stdin
    with process.stdin as stdin:
        while process.poll() is None:
            try:
                data = connection.receive(timeout=0.2)
            except ConnectionClosed:  # kubectl is gone: a process that reads sees the end of its input
                return
            if data is None:
                continue
            if data[:1] == _CLOSE:
                return
            if data[:1] == _STDIN:
                try:
                    stdin.write(data[1:])
                except BrokenPipeError:  # it has just ended
                    return
