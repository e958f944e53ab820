"""The demo as a whole: the bundled service, its SSH server and its shop, started and stopped together.

Everything lives in one folder: `state.json`, `gunicorn.pid`, `ssh_config`, logs, keys and databases. Nothing of it
outlives `stop_demo`.
"""

from __future__ import annotations

import contextlib
import shlex
from typing import TYPE_CHECKING

from toolkit.demo import gunicorn_process
from toolkit.demo.folder_lock import locked
from toolkit.demo.processes import end_session, find, identify
from toolkit.demo.shop import shop_files, shop_folder, start_shop
from toolkit.demo.ssh_files import SshFiles
from toolkit.demo.sshd import read_ssh_server, start_ssh_server, stop_ssh_server
from toolkit.demo.state import (
    HOST_ALIAS,
    DemoState,
    SshEntry,
    StartedProcess,
    read_state,
    state_file,
    write_state,
)
from toolkit.errors import ToolkitError
from toolkit.recording.places import carried

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from toolkit.demo.sshd import SshServer
    from toolkit.demo.state import ShopState

__all__ = ["DemoState", "demo_status", "start_demo", "stop_demo"]

_children: dict[int, subprocess.Popen[bytes]] = {}
"""What this process started, to be waited for when it is stopped."""


def start_demo(
    folder: Path, *, port: int | None = None, ssh: bool = True, ssh_kind: str = "", shop: bool = False
) -> DemoState:
    """Start the service, and an SSH server before it; where both run in `folder` already, say so and start nothing.

    Args:
        folder: made with mode 0700 if missing; removed by `stop_demo`.
        port: of the service; None takes 18080 where it is free, else any free one.
        ssh: whether to start the SSH server, which lets the own account in by a throwaway key.
        ssh_kind: "openssh" or "asyncssh"; empty takes OpenSSH where it is installed.
        shop: whether to start the shop beside it: on the ports from 18090 where they are free, else on any.

    Raises:
        UsageError, NotPermittedError: a port that cannot be had.
        ToolkitError: the extra `demo` is missing, the demo runs otherwise than asked for, or it did not start.
    """
    folder = folder.absolute()
    gunicorn_process.require_packages()
    with locked(folder, create=True):
        running = demo_status(folder)
        if running is not None:
            return _as_asked(running, port, ssh=ssh, shop=shop)
        _end_and_clean(folder)
        try:
            # Each worker listens on a socket of its own, which would let a second service on to the same port: one
            # start at a time, whatever the folder.
            with locked(carried("demo")):
                return _start(folder, port, ssh_kind if ssh else None, shop=shop)
        except BaseException:
            _end_and_clean(folder)
            _remove_if_empty(folder)
            raise


def stop_demo(folder: Path) -> bool:
    """Stop what runs in `folder` and remove its files, keys and database with it. True if anything ran.

    Raises:
        NotPermittedError: another user started it.
        ToolkitError: it does not end, or its state cannot be read.
    """
    folder = folder.absolute()
    if not folder.is_dir():
        return False
    with locked(folder):
        ended = _end_and_clean(folder)
        _remove_if_empty(folder)
    return ended


def demo_status(folder: Path) -> DemoState | None:
    """The demo in `folder`, if all of it runs.

    Raises:
        ToolkitError: its state cannot be read.
    """
    state = read_state(folder.absolute())
    return state if state is not None and all(find(process) for process in _processes(state)) else None


def _gunicorns(state: DemoState) -> list[StartedProcess]:
    return [state.gunicorn, *(service.gunicorn for service in (state.shop.services if state.shop else ()))]


def _processes(state: DemoState) -> list[StartedProcess]:
    return [*_gunicorns(state), *([state.ssh.process] if state.ssh else [])]


def _as_asked(running: DemoState, port: int | None, *, ssh: bool, shop: bool) -> DemoState:
    if port not in {None, running.port} or (ssh and running.ssh is None) or (shop and running.shop is None):
        without = "" if running.ssh else " and without SSH"
        without += " and without the shop" if shop and running.shop is None else ""
        raise ToolkitError(
            f"The demo in {running.folder} runs already, on port {running.port}{without}.",
            f"Stop it first: python -m toolkit demo stop --demo-dir {shlex.quote(str(running.folder))}",
        )
    return running


def _start(folder: Path, port: int | None, ssh_kind: str | None, *, shop: bool) -> DemoState:
    chosen = gunicorn_process.choose_port(port)
    gunicorn = gunicorn_process.spawn_service(folder, chosen)
    _children[gunicorn.pid] = gunicorn
    arbiter = StartedProcess(pid=gunicorn.pid, create_time=identify(gunicorn.pid))
    state = DemoState(
        folder=folder,
        url=f"http://{gunicorn_process.LOOPBACK}:{chosen}",
        port=chosen,
        gunicorn=arbiter,
        ssh=None,
        pidfile=folder / gunicorn_process.PIDFILE,
        access_log=folder / gunicorn_process.ACCESS_LOG,
        error_log=folder / gunicorn_process.ERROR_LOG,
        database=folder / gunicorn_process.DATABASE,
    )
    # Before it answers: whoever kills us now leaves a demo that can still be stopped.
    write_state(state)
    if ssh_kind is not None:
        server = start_ssh_server(folder, host_alias=HOST_ALIAS, kind=ssh_kind)
        state = state.model_copy(update={"ssh": _ssh_entry(server)})
        write_state(state)
    if shop:
        state = _with_shop(state)
    gunicorn_process.await_ready(gunicorn, state.error_log, chosen)
    write_state(state)
    return state


def _with_shop(state: DemoState) -> DemoState:
    def told(so_far: ShopState) -> None:
        write_state(state.model_copy(update={"shop": so_far}))

    shop, children = start_shop(state.folder, told)
    _children.update(children)
    return state.model_copy(update={"shop": shop})


def _ssh_entry(server: SshServer) -> SshEntry:
    return SshEntry(
        kind=server.kind,
        port=server.port,
        alias=server.host_alias,
        config=server.config_path,
        process=StartedProcess(pid=server.pid, create_time=server.create_time),
    )


def _end_and_clean(folder: Path) -> bool:
    """End what a state in `folder` speaks of, all of it or what is left, and remove the files. True if anything ran."""
    state = read_state(folder)
    ended = False
    # Who asks before who is asked: nobody is left asking in vain.
    for gunicorn in reversed(_gunicorns(state)) if state else ():
        ended = end_session(gunicorn) or ended
        if child := _children.pop(gunicorn.pid, None):
            child.wait()
    if read_ssh_server(folder):
        ended = stop_ssh_server(folder) or ended
    for file in _own_files(folder):
        file.unlink(missing_ok=True)
    _remove_if_empty(shop_folder(folder))
    return ended


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()  # not empty: somebody keeps files of theirs here


def _own_files(folder: Path) -> list[Path]:
    """All that the demo may have left there: by name, because the folder may be one that holds other things too."""
    files = SshFiles(folder)
    ssh = [getattr(files, name) for name, value in vars(SshFiles).items() if isinstance(value, property)]
    public = [path.with_name(path.name + ".pub") for path in ssh]
    service = [folder / name for name in gunicorn_process.FILES]
    state = state_file(folder)
    return [*ssh, *public, *service, *shop_files(folder), state, *folder.glob(f".{state.name}.*")]
