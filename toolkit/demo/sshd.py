"""Starts and stops an SSH server on a free loopback port with throwaway keys: OpenSSH's or an embedded one.

It goes on after the process that started it has ended; which process it is stands in its folder, in `sshd.json`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pwd
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from toolkit.demo.ssh_files import SshFiles, make_key, write_client_files, write_private
from toolkit.demo.ssh_programs import PREPARE, ServerOptions, embedded_available, openssh_server
from toolkit.errors import NotPermittedError, ToolkitError

if TYPE_CHECKING:
    from pathlib import Path

_START_S = 10.0
_STOP_S = 5.0
_LOGIN_S = 10.0
_ATTEMPTS = 5
_SESSION_NAMES = ("sshd", "sshd-session", "sshd-auth")

_children: dict[int, subprocess.Popen[bytes]] = {}
"""Servers that this process started, to be waited for when they are stopped."""


@dataclass(frozen=True)
class SshServer:
    """A running server. `kind` is "openssh" or "asyncssh".

    `create_time` is in seconds since the epoch and tells the process from a later one with the same PID.
    """

    folder: Path
    kind: str
    port: int
    user: str
    pid: int
    create_time: float
    host_alias: str

    @property
    def config_path(self) -> Path:
        """A client's configuration with the host alias, for `ssh -F` and the SSH transport."""
        return SshFiles(self.folder).client_config

    @property
    def known_hosts(self) -> Path:
        """A known_hosts file with the server's key."""
        return SshFiles(self.folder).known_hosts

    @property
    def log(self) -> Path:
        """The server's own log."""
        return SshFiles(self.folder).log

    def running(self) -> bool:
        """Whether the process still is there and is the same one."""
        return _process(self) is not None

    def stop(self) -> None:
        """End the server and its connections; commands that run over them see their input end."""
        _stop(self)
        SshFiles(self.folder).state.unlink(missing_ok=True)


def start_ssh_server(
    folder: Path,
    *,
    host_alias: str,
    kind: str = "",
    user: str = "",
    password: str = "",
    questions: bool = False,
    sftp: bool = True,
) -> SshServer:
    """Start a server in `folder` (made if missing, mode 0700) and return once its port is open.

    Args:
        folder: takes keys, configuration, log and state; a server that runs there already is stopped first.
        host_alias: the `Host` of the client configuration that is written.
        kind: "openssh" or "asyncssh"; empty takes OpenSSH's where it is installed and lets us in, else the other.
        user: whom the key lets in; another than the own account needs root and OpenSSH.
        password: lets the account in by this password too (embedded server only).
        questions: whether the server asks for the password (keyboard-interactive) rather than takes it at once.
        sftp: whether the server offers SFTP.

    Raises:
        NotPermittedError: `user` is another account and this is not root.
        ToolkitError: there is no server to start, or it did not start.
    """
    folder = folder.absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stop_ssh_server(folder)
    own = pwd.getpwuid(os.getuid()).pw_name
    if user not in {"", own} and os.geteuid() != 0:
        raise NotPermittedError(f"Only root can start an SSH server that lets in {user}.")
    options = ServerOptions(host_alias, user or own, password, questions, sftp)
    problem = ""
    for chosen in _kinds(kind):
        try:
            server = _start(folder, chosen, options)
        except ToolkitError as error:
            problem = f" {error.message}"
            continue
        if kind or chosen != "openssh" or user or _lets_in(server, host_alias):
            return server
        # A user without root often has a locked password, and then OpenSSH without PAM takes no key either.
        server.stop()
        problem = f" OpenSSH's does not let {own} in: is the account locked?"
    raise ToolkitError(
        f"No SSH server could be started in {folder}.{problem}",
        "Install OpenSSH's server (Debian: apt-get install openssh-server) or the Python package asyncssh.",
    )


def _lets_in(server: SshServer, host_alias: str) -> bool:
    """Whether a real client gets in; where there is none, nothing is known and that is taken for a yes."""
    client = shutil.which("ssh")
    if client is None:
        return True
    argv = [client, "-F", str(server.config_path), "-o", "BatchMode=yes", host_alias, "true"]
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=_LOGIN_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def stop_ssh_server(folder: Path) -> bool:
    """Stop the server whose state stands in `folder`. True if one was running."""
    server = read_ssh_server(folder)
    if server is None:
        return False
    was_running = server.running()
    server.stop()
    return was_running


def read_ssh_server(folder: Path) -> SshServer | None:
    """The server whose state stands in `folder`, running or not; None without a readable state."""
    folder = folder.absolute()
    try:
        state = json.loads(SshFiles(folder).state.read_text(encoding="utf-8"))
        return SshServer(folder=folder, **state)
    except (OSError, ValueError, TypeError):
        return None


def _kinds(kind: str) -> list[str]:
    if kind:
        return [kind]
    found = ["openssh"] if openssh_server() else []
    return [*found, "asyncssh"] if embedded_available() else found


def _start(folder: Path, kind: str, options: ServerOptions) -> SshServer:
    files = SshFiles(folder)
    host_public = make_key(files.host_key, "throwaway host key")
    client_public = make_key(files.client_key, "throwaway client key")
    write_private(files.authorized_keys, (client_public + "\n").encode())
    files.log.unlink(missing_ok=True)
    problem, argv = "", [kind]
    for _ in range(_ATTEMPTS):  # somebody else may take the free port before the server does
        port = _free_port()
        argv = PREPARE[kind](files, port, options)
        files.pid_file.unlink(missing_ok=True)
        child = _spawn(argv, files)
        problem = _await_ready(child, files)
        if not problem:
            write_client_files(
                files, host_alias=options.host_alias, port=port, user=options.user, host_public=host_public
            )
            return _remember(folder, kind, port, options, child)
        if "in use" not in problem:
            break
    raise ToolkitError(f"{argv[0]} did not start: {problem.rstrip('.')}.", f"Its log is {files.log}.")


def _remember(
    folder: Path, kind: str, port: int, options: ServerOptions, child: subprocess.Popen[bytes]
) -> SshServer:
    server = SshServer(
        folder=folder,
        kind=kind,
        port=port,
        user=options.user,
        pid=child.pid,
        create_time=psutil.Process(child.pid).create_time(),
        host_alias=options.host_alias,
    )
    _children[child.pid] = child
    state = dataclasses.asdict(server)
    del state["folder"]  # the folder may be moved
    write_private(SshFiles(folder).state, json.dumps(state, indent=2).encode())
    return server


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _spawn(argv: list[str], files: SshFiles) -> subprocess.Popen[bytes]:
    """Start a server that no Ctrl-C in this terminal reaches and that outlives this process."""
    with files.log.open("ab") as log:
        return subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=files.folder, start_new_session=True
        )


def _await_ready(child: subprocess.Popen[bytes], files: SshFiles) -> str:
    """Wait for the PID file, which both servers write after opening the port. The problem in words, or ""."""
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, ValueError):
            if int(files.pid_file.read_text(encoding="ascii")) == child.pid:
                return ""
        if child.poll() is not None:
            return _last_words(files.log) or f"it ended with exit code {child.returncode}"
        time.sleep(0.01)
    child.kill()
    child.wait()
    return f"its port was not open after {_START_S:.0f} s"


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return " / ".join(lines[-3:])


def _process(server: SshServer) -> psutil.Process | None:
    """The server's process, if it is the very one that was started and is no zombie."""
    try:
        process = psutil.Process(server.pid)
        same = abs(process.create_time() - server.create_time) < 1.0
        return process if same and not _ended(process) else None
    except psutil.Error:
        return None


def _stop(server: SshServer) -> None:
    process = _process(server)
    ending: list[psutil.Process] = []
    if process is not None:
        # The sessions go first: each is a process of its own and would hold its connection open.
        ending = [*_sessions(process), process]
        for one in ending:
            with contextlib.suppress(psutil.Error):
                one.terminate()
    deadline = time.monotonic() + _STOP_S
    while not all(_ended(one) for one in ending):
        if time.monotonic() > deadline:
            for one in ending:
                with contextlib.suppress(psutil.Error):
                    one.kill()
            break
        time.sleep(0.005)
    child = _children.pop(server.pid, None)
    if child is not None:
        child.wait(_STOP_S)


def _ended(process: psutil.Process) -> bool:
    """A zombie has ended: whoever is to wait for it may take its time."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True


def _sessions(process: psutil.Process) -> list[psutil.Process]:
    """sshd's own children; never a command that somebody runs over them."""
    with contextlib.suppress(psutil.Error):
        return [child for child in process.children(recursive=True) if child.name() in _SESSION_NAMES]
    return []
