"""gunicorn's settings for the bundled shop: `gunicorn -c demo/shop.conf.py`, from anywhere.

Read from the environment: SHOP_FOLDER (databases, logs and pidfile; a new temporary folder where it is not set),
SHOP_PORT (18090), SHOP_WORKERS (4), SHOP_THREADS (32), RACY (1: the checkout loses updates; 0, the default: it is sound).
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))


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


_folder = Path(os.environ.get("SHOP_FOLDER") or tempfile.mkdtemp(prefix="toolkit-shop-"))
_shared_memory = Path("/dev/shm")

bind = f"127.0.0.1:{_number('SHOP_PORT', 18090, 0)}"
proc_name = "toolkit-shop"
pidfile = str(_folder / "gunicorn.pid")
wsgi_app = f"shop.app:create_app({str(_folder)!r}, racy_checkout={_switch('RACY')})"

worker_class = "gthread"
workers = _number("SHOP_WORKERS", 4, 1)
threads = _number("SHOP_THREADS", 32, 1)
worker_connections = threads + 2000
preload_app = True
keepalive = 75
graceful_timeout = 1
worker_tmp_dir = str(_shared_memory) if os.access(_shared_memory, os.W_OK | os.X_OK) else None
control_socket_disable = True

accesslog = str(_folder / "access.log")
errorlog = str(_folder / "error.log")
logger_class = "counter_service.access_log.JsonAccessLog"
