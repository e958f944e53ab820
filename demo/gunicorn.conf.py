"""gunicorn's settings for the bundled service: `gunicorn -c demo/gunicorn.conf.py`, from anywhere.

Read from the environment: DEMO_FOLDER (database, logs and pidfile; a new temporary folder where it is not set),
DEMO_PORT (18080), DEMO_WORKERS (4), DEMO_THREADS (64), DEMO_IDLE_THREADS (0, threads that only wait, in each worker),
DEMO_MAX_REQUESTS (0, a worker ends after so many and is replaced; 0: never).
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


def _number(name: str, default: int, lowest: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or int(text) < lowest:
        raise SystemExit(f"{name} must be a whole number of at least {lowest}, not {text!r}.")
    return int(text)


_folder = Path(os.environ.get("DEMO_FOLDER") or tempfile.mkdtemp(prefix="toolkit-demo-"))
_shared_memory = Path("/dev/shm")

bind = f"127.0.0.1:{_number('DEMO_PORT', 18080, 0)}"
proc_name = "toolkit-demo"
pidfile = str(_folder / "gunicorn.pid")
wsgi_app = f"counter_service.app:create_app({str(_folder / 'counters.sqlite')!r})"

worker_class = "gthread"
workers = _number("DEMO_WORKERS", 4, 1)
# A socket for each worker, among which the kernel deals out the connections. With one for all of them the same worker
# is woken first each time: measured, it took 24 of 24 websockets while three others had nothing to do.
reuse_port = True
# In an upgrade (USR2) an arbiter with reuse_port has no socket to hand on, and its successor stumbles over the empty list
# of them. Any number will do: it is read, and then not used.
if os.environ.get("GUNICORN_FD") == "":
    os.environ["GUNICORN_FD"] = "0"
# A websocket keeps a thread for as long as it is open. A pool makes its threads only when it needs them, so a high
# limit costs nothing (nor a profiler, which pays for each thread that is there).
threads = _number("DEMO_THREADS", 64, 1)
worker_connections = threads + 1000
# Loaded once, before the fork. Nothing in the service opens a file or starts a thread at that time.
preload_app = True
# Longer than clients think between two requests; else they find the connection closed under their next one.
keepalive = 75
max_requests = _number("DEMO_MAX_REQUESTS", 0, 0)
graceful_timeout = 1
# Workers show that they live by touching a file: in memory, so that a busy disk does not get them killed.
worker_tmp_dir = str(_shared_memory) if os.access(_shared_memory, os.W_OK | os.X_OK) else None
# By default all gunicorns of a user share one control socket in their home folder.
control_socket_disable = True

accesslog = str(_folder / "access.log")
errorlog = str(_folder / "error.log")
logger_class = "counter_service.access_log.JsonAccessLog"


def post_worker_init(worker: Any) -> None:  # noqa: ANN401 - gunicorn's classes differ by worker class
    """Called by gunicorn in each worker before its first request."""
    from counter_service.app import start_idle_threads

    start_idle_threads(_number("DEMO_IDLE_THREADS", 0, 0))
    open_sockets = worker.wsgi.extensions["counter_service.open_sockets"]

    def stop(signal_number: int, frame: FrameType | None) -> None:
        worker.handle_exit(signal_number, frame)
        # Not here, in the middle of whatever the main thread was doing, locks and all.
        threading.Thread(target=open_sockets.close_all, name="closing").start()

    signal.signal(signal.SIGTERM, stop)
    # Whoever starts the service waits for this line of every worker: the first one alone would get all connections.
    worker.log.info("Listening, one of %d workers", worker.cfg.workers)
