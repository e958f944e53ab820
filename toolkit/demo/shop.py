"""Starts the bundled shop: a gunicorn for each of its services, and one for the gateway before them, on loopback."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from toolkit.demo import gunicorn_process
from toolkit.demo.gunicorn_process import LOOPBACK
from toolkit.demo.processes import identify
from toolkit.demo.state import SHOP_NAME, ShopService, ShopState, StartedProcess

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

SERVICES = ("stock", "payment", "order", "gateway")
"""Who is asked before who asks."""
_USUAL = {"gateway": 18090, "stock": 18091, "payment": 18092, "order": 18093}
_DATABASES = {"stock": "stock.sqlite", "payment": "payment.sqlite", "order": "orders.sqlite"}
_ALL_WITHIN_S = 30.0


def shop_folder(folder: Path) -> Path:
    """Where the shop of the demo in `folder` has its files."""
    return folder / "shop"


def shop_files(folder: Path) -> list[Path]:
    """All that the shop may have left there."""
    shop = shop_folder(folder)
    own = [shop / f"{name}.{kind}" for name in SERVICES for kind in ("pid", "access.log", "error.log")]
    databases = [shop / f"{file}{more}" for file in _DATABASES.values() for more in ("", "-wal", "-shm")]
    return [*own, *databases]


def start_shop(
    folder: Path, told: Callable[[ShopState], None]
) -> tuple[ShopState, dict[int, subprocess.Popen[bytes]]]:
    """Start all four; when this returns they answer.

    Args:
        folder: the demo's.
        told: given what has been started after each of them, before it answers: whoever kills us then leaves a shop that
            can still be stopped.

    Raises:
        ToolkitError: one did not start, with the end of its error log.
    """
    shop = shop_folder(folder)
    shop.mkdir(mode=0o700, exist_ok=True)
    ports = _ports()
    state = ShopState(url=_url(ports["gateway"]), services=())
    children: dict[str, subprocess.Popen[bytes]] = {}
    deadline = time.monotonic() + _ALL_WITHIN_S
    for name in SERVICES:
        child = children[name] = _spawn(shop, name, ports)
        state = state.model_copy(
            update={"services": (*state.services, _service(shop, name, ports, child.pid))}
        )
        told(state)
    for name in SERVICES:
        gunicorn_process.await_ready(
            children[name],
            shop / f"{name}.error.log",
            ports[name],
            deadline - time.monotonic(),
            each_worker=False,
        )
    return state, {child.pid: child for child in children.values()}


def _ports() -> dict[str, int]:
    """The usual ones where all of them are free, else any."""
    if all(gunicorn_process.is_free(port) for port in _USUAL.values()):
        return _USUAL
    return dict(zip(SERVICES, gunicorn_process.free_ports(len(SERVICES)), strict=True))


def _spawn(shop: Path, name: str, ports: dict[str, int]) -> subprocess.Popen[bytes]:
    own = {
        "SHOP_SERVICE": name,
        "SHOP_FOLDER": str(shop),
        "SHOP_PORT": str(ports[name]),
        **{f"SHOP_{other.upper()}_URL": _url(ports[other]) for other in _DATABASES},
    }
    return gunicorn_process.spawn(
        "shop.conf.py", shop, shop / f"{name}.error.log", own, f"{SHOP_NAME}-{name}"
    )


def _service(shop: Path, name: str, ports: dict[str, int], pid: int) -> ShopService:
    return ShopService(
        name=name,
        url=_url(ports[name]),
        gunicorn=StartedProcess(pid=pid, create_time=identify(pid)),
        pidfile=shop / f"{name}.pid",
        access_log=shop / f"{name}.access.log",
        error_log=shop / f"{name}.error.log",
        database=shop / _DATABASES[name] if name in _DATABASES else None,
    )


def _url(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"
