"""An SSH server on loopback by asyncssh, where there is no OpenSSH: `python -P embedded_sshd.py CONFIG.json`.

It gives the account that started it what sshd would: commands by the login shell, both outputs, the end of
input, exit codes and signals, SFTP, direct-tcpip (so it can be a jump host). It imports nothing from the
toolkit, because it runs by path.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import pwd
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import asyncssh

if TYPE_CHECKING:
    from collections.abc import Sequence

_CHUNK = 65536
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class EmbeddedConfig(TypedDict):
    """The configuration file, as JSON."""

    port: int
    host_key: str
    authorized_keys: str
    """A file of public keys; empty for none."""
    password: str
    """The account's password here; empty where passwords are refused."""
    questions: bool
    """Whether the password is asked for by the server (keyboard-interactive) rather than sent at once."""
    sftp: bool
    pid_file: str
    """Written once the port is open."""
    log_file: str


class _Account(asyncssh.SSHServer):
    """Lets in the account that runs the server, and nobody else."""

    def __init__(self, user: str, password: str, *, questions: bool) -> None:
        self._user = user
        self._password = password
        self._questions = questions

    def begin_auth(self, username: str) -> bool:
        """Nobody comes in without authentication."""
        del username
        return True

    def password_auth_supported(self) -> bool:
        """Only where a password is set."""
        return bool(self._password) and not self._questions

    def kbdint_auth_supported(self) -> bool:
        """Only where the password is to be asked for."""
        return bool(self._password) and self._questions

    def get_kbdint_challenge(
        self, username: str, lang: str, submethods: str
    ) -> tuple[str, str, str, list[tuple[str, bool]]]:
        """Ask for the password, as PAM does."""
        del username, lang, submethods
        return "", "", "", [("Password: ", False)]

    def validate_kbdint_response(self, username: str, responses: Sequence[str]) -> bool:
        """Compare with the one password."""
        return username == self._user and list(responses) == [self._password]

    def validate_password(self, username: str, password: str) -> bool:
        """Compare with the one password."""
        return username == self._user and password == self._password

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
        """Forward connections (a jump host does), to this machine only."""
        del dest_port, orig_host, orig_port
        return dest_host in {"127.0.0.1", "::1", "localhost"}


def _environment(account: pwd.struct_passwd) -> dict[str, str]:
    """What sshd gives: the account's own, and nothing of the environment that started the server."""
    return {
        "HOME": account.pw_dir,
        "LOGNAME": account.pw_name,
        "PATH": _PATH,
        "SHELL": account.pw_shell or "/bin/sh",
        "USER": account.pw_name,
    }


async def _feed(process: asyncssh.SSHServerProcess[bytes], target: asyncio.StreamWriter) -> None:
    """Client's input to the command's, until either ends."""
    with contextlib.suppress(OSError, asyncssh.Error):
        while data := await process.stdin.read(_CHUNK):
            target.write(data)
            await target.drain()
    with contextlib.suppress(OSError):
        target.close()


async def _drain(source: asyncio.StreamReader, target: asyncssh.SSHWriter[bytes]) -> None:
    """The command's output to the client, keeping reading when the client is gone."""
    gone = False
    while data := await source.read(_CHUNK):
        if gone:
            continue
        try:
            target.write(data)
            await target.drain()
        except (OSError, asyncssh.Error):
            gone = True


async def _serve(process: asyncssh.SSHServerProcess[bytes]) -> None:
    """One session: start the command and carry the streams by hand.

    `process.redirect` closes the channel at the first end of a stream; a later write to the other one
    then breaks the whole connection.
    """
    account = pwd.getpwuid(os.getuid())
    shell = account.pw_shell or "/bin/sh"
    argv = [shell, "-c", process.command] if process.command else [shell]
    try:
        child = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=account.pw_dir if Path(account.pw_dir).is_dir() else "/",
            env=_environment(account),
            start_new_session=True,
        )
    except OSError as error:
        process.stderr.write(f"{shell}: {error.strerror}\n".encode())
        process.exit(127)
        return
    if (
        child.stdin is None or child.stdout is None or child.stderr is None
    ):  # pragma: no cover - all three are pipes
        raise AssertionError
    feeding = asyncio.create_task(_feed(process, child.stdin))
    await asyncio.gather(_drain(child.stdout, process.stdout), _drain(child.stderr, process.stderr))
    code = await child.wait()
    feeding.cancel()
    await asyncio.gather(feeding, return_exceptions=True)
    with contextlib.suppress(OSError, asyncssh.Error):
        if code < 0:
            process.exit_with_signal(signal.Signals(-code).name.removeprefix("SIG"))
        else:
            process.exit(code)


async def serve(config: EmbeddedConfig) -> None:
    """Open the port, say so in the PID file, and serve until SIGTERM or SIGINT."""
    user = pwd.getpwuid(os.getuid()).pw_name
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    server = await asyncssh.create_server(
        lambda: _Account(user, config["password"], questions=config["questions"]),
        "127.0.0.1",
        config["port"],
        server_host_keys=[config["host_key"]],
        authorized_client_keys=config["authorized_keys"] or None,
        process_factory=_serve,
        sftp_factory=config["sftp"],
        encoding=None,
        line_editor=False,
        x11_forwarding=False,
        agent_forwarding=False,
    )
    Path(config["pid_file"]).write_text(f"{os.getpid()}\n", encoding="ascii")
    await stopped.wait()
    server.close()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(server.wait_closed(), 2)


def main() -> int:
    """Read the configuration and serve."""
    config: EmbeddedConfig = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with contextlib.suppress(OSError):
        os.chdir(pwd.getpwuid(os.getuid()).pw_dir)  # where SFTP's relative paths start
    logging.basicConfig(filename=config["log_file"], level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        asyncio.run(serve(config))
    except OSError as error:
        logging.getLogger(__name__).error("cannot serve: %s", error)  # noqa: TRY400 - the log is for people
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
