"""A service that writes down every request it gets: `python service.py LOG`; prints its port, ends when its input closes."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from flask import Flask, Response, redirect, request
from flask_sock import Sock
from flask_socketio import SocketIO, emit
from werkzeug.serving import make_server

app = Flask("service")
app.config["SOCK_SERVER_OPTIONS"] = {"ping_interval": None}
sock = Sock(app)
socketio = SocketIO(app, async_mode="threading", transports=["websocket"])
log = Path(sys.argv[1]).open("a", buffering=1, encoding="utf-8")  # noqa: SIM115 - open for as long as we live
writing = threading.Lock()


@app.before_request
def write_down() -> None:
    if request.path.startswith("/socket.io"):
        return
    row = {
        "method": request.method,
        "path": request.path,
        "query": request.query_string.decode(),
        "id": request.headers.get("X-Request-ID"),
        "bytes": len(request.get_data()),
        "t_ns": time.time_ns(),
    }
    with writing:
        log.write(json.dumps(row) + "\n")


@app.post("/login")
def login() -> dict[str, Any]:
    body = request.get_json()
    return {"token": f"token of {body['user']}", "list": [1, 2]}


@app.get("/items/<path:name>")
def item(name: str) -> dict[str, Any]:
    return {"item": name, "authorization": request.headers.get("Authorization")}


@app.get("/moved")
def moved() -> Any:
    return redirect("/items/new")


@app.get("/broken")
def broken() -> tuple[str, int, dict[str, str]]:
    return "no", 500, {"X-Request-ID": "said-" + request.headers["X-Request-ID"]}


@app.get("/stream")
def stream() -> Response:
    return Response(iter(["ab", "cde"]), mimetype="text/plain")


@app.get("/slow")
def slow() -> str:
    time.sleep(float(request.args.get("s", "0.05")))
    return "done"


@app.get("/reset")
def reset() -> str:
    # What a client sees of a worker that was killed.
    request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return ""


@sock.route("/ws")  # type: ignore[untyped-decorator]
def talk(connection: Any) -> None:
    while True:
        message = json.loads(connection.receive())
        kind = message["type"]
        if kind == "leave":
            return
        if kind == "echo":
            connection.send(json.dumps(message))
        if kind == "subscribe":
            connection.send(json.dumps({"type": "subscribed"}))
            for number in range(5):
                connection.send(json.dumps({"type": "changed", "number": number}))


@sock.route("/mute")  # type: ignore[untyped-decorator]
def mute(connection: Any) -> None:
    connection.receive()
    connection.receive()


@socketio.on("join")  # type: ignore[untyped-decorator]
def join(_data: object = None) -> dict[str, Any]:
    emit("changed", {"number": 0})
    return {"ok": True}


@socketio.on("say")  # type: ignore[untyped-decorator]
def say(data: object) -> None:
    time.sleep(0.05)
    emit("said", {"heard": data})


@socketio.on("whisper")  # type: ignore[untyped-decorator]
def whisper(_data: object) -> None:
    return


if __name__ == "__main__":
    server = make_server("127.0.0.1", 0, app, threaded=True)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
