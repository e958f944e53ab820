"""gunicorn's settings for one service of the bundled shop: `SHOP_SERVICE=stock gunicorn -c demo/shop.conf.py`, from anywhere.

Read from the environment: SHOP_SERVICE (gateway, stock, payment or order), SHOP_FOLDER (database, logs and pidfile, which the
four may share; a new temporary folder where it is not set), SHOP_PORT (18090 to 18093, in that order), SHOP_STOCK_URL,
SHOP_PAYMENT_URL and SHOP_ORDER_URL (where the others are, by default at these ports), SHOP_WORKERS (2), SHOP_THREADS (64),
RACY (1: stock and payment lose updates; 0, the default: they are sound), UNCHECKED (1: what is not there is sold).
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

_PORTS = {"gateway": 18090, "stock": 18091, "payment": 18092, "order": 18093}


def _service() -> str:
    name = os.environ.get("SHOP_SERVICE") or ""
    if name not in _PORTS:
        raise SystemExit(
            f"SHOP_SERVICE must be one of {', '.join(_PORTS)}, not {name!r}. All four: python -m toolkit demo start --shop"
        )
    return name


def _number(name: str, default: int, lowest: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or int(text) < lowest:
        raise SystemExit(f"{name} must be a whole number of at least {lowest}, not {text!r}.")
    return int(text)


def _switch(name: str) -> bool:
    text = os.environ.get(name) or "0"
    if text not in {"0", "1"}:
        raise SystemExit(f"{name} must be 0 or 1, not {text!r}.")
    return text == "1"


_name = _service()
_folder = Path(os.environ.get("SHOP_FOLDER") or tempfile.mkdtemp(prefix="toolkit-shop-"))
_addresses = {
    other: os.environ.get(f"SHOP_{other.upper()}_URL") or f"http://127.0.0.1:{port}"
    for other, port in _PORTS.items()
    if other != "gateway"
}
_shared_memory = Path("/dev/shm")

bind = f"127.0.0.1:{_number('SHOP_PORT', _PORTS[_name], 0)}"
proc_name = f"toolkit-shop-{_name}"
pidfile = str(_folder / f"{_name}.pid")
wsgi_app = f"shop.app:create_app({_name!r}, {str(_folder)!r}, {_addresses!r}, {_switch('RACY')}, {_switch('UNCHECKED')})"

worker_class = "gthread"
workers = _number("SHOP_WORKERS", 2, 1)
threads = _number("SHOP_THREADS", 64, 1)
worker_connections = threads + 2000
preload_app = True
keepalive = 75
graceful_timeout = 1
worker_tmp_dir = str(_shared_memory) if os.access(_shared_memory, os.W_OK | os.X_OK) else None
control_socket_disable = True

accesslog = str(_folder / f"{_name}.access.log")
errorlog = str(_folder / f"{_name}.error.log")
logger_class = "counter_service.access_log.JsonAccessLog"


def post_worker_init(worker: Any) -> None:  # noqa: ANN401 - gunicorn's classes differ by worker class
    """Called by gunicorn in each worker before its first request."""
    leftovers = worker.wsgi.extensions.get("shop.leftovers")
    if leftovers is not None:
        leftovers.watch()
