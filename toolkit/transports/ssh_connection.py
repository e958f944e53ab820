"""One SSH connection by paramiko, which no other file imports: handshake, login, channels, new files."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import socket
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, cast

import paramiko
import paramiko.agent
import paramiko.auth_handler
import paramiko.sftp

from toolkit.errors import ToolkitError
from toolkit.transports.authentication import DroppedError
from toolkit.transports.config_text import inlined
from toolkit.transports.dialing import Line
from toolkit.transports.host_key import ShownKey

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from toolkit.transports.address import Address
    from toolkit.transports.authentication import Login
    from toolkit.transports.base import ConnectOptions
    from toolkit.transports.channel_process import Channel
    from toolkit.transports.client_config import HostConfig, Keywords
    from toolkit.transports.dialing import Stream

_OPEN_S = 10.0
_ANSWER_S = 120.0  # a person types while the server waits
_SLICE = 1 << 20
_BROKEN = (paramiko.SSHException, EOFError, OSError)
_RSA = ("rsa-sha2-512", "rsa-sha2-256")  # how servers sign with the key type that known_hosts calls ssh-rsa

# What it has to say reaches the operator by our errors; its tracebacks must not reach the terminal.
logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False


class SshProblemError(Exception):
    """The connection or the server did not do what was asked; the message says why, for people."""


def _said(error: Exception) -> str:
    return (
        error.text if isinstance(error, paramiko.ChannelException) else str(error)
    ) or "the connection ended"


def _why_no_handshake(error: Exception | None) -> str:
    """In words. paramiko joins the reason to its own text without a space, and an end of the stream has no text."""
    if error is None or isinstance(error, EOFError) or str(error).endswith("protocol banner"):
        return "it hung up, or said nothing in time"
    return re.sub(r"(?<=protocol banner)(?=\S)", ": ", str(error))


class SshConnection:
    """A connection over a stream: a socket, or a channel of a jump host's connection."""

    def __init__(self, stream: Stream) -> None:
        self._line = Line(stream)
        self._transport = paramiko.Transport(cast("socket.socket", self._line))
        self._files: _Sftp | None = None
        self._one_at_a_time = (
            threading.Lock()
        )  # two threads of one SFTP session would read each other's answers

    def handshake(self, known_kinds: Sequence[str], timeout_s: float) -> ShownKey:
        """Speak SSH as far as the host's key, which the caller then checks: nothing secret is sent before.

        Args:
            known_kinds: key types to ask for first: a host has several keys, and any other would look unknown.
            timeout_s: for each step of it.

        Raises:
            SshProblemError: there is no SSH server, or none that speaks as we do.
        """
        transport = self._transport
        transport.banner_timeout = transport.handshake_timeout = timeout_s
        options = transport.get_security_options()
        wanted = [one for kind in known_kinds for one in (_RSA if kind == "ssh-rsa" else (kind,))]
        options.key_types = sorted(
            options.key_types, key=lambda kind: wanted.index(kind) if kind in wanted else len(wanted)
        )
        done = threading.Event()
        transport.start_client(event=done)
        if not done.wait(2 * timeout_s) or not transport.is_active():
            raise SshProblemError(_why_no_handshake(transport.get_exception()))
        key = transport.get_remote_server_key()
        return ShownKey(key.get_name(), key.asbytes())

    def login(self, config: HostConfig, held: ExitStack) -> Login:
        """Begin to log in; `held` keeps the agent for as long as that takes."""
        return _Login(self._transport, config, held)

    def alive(self) -> bool:
        """Whether the connection still is there, as far as we know."""
        return self._transport.is_active() and not self._line.closed

    def keep_alive(self, interval_s: int) -> None:
        """Send something at least every `interval_s` seconds, so that TCP notices a silent network."""
        self._transport.set_keepalive(interval_s)

    def start(self, line: str) -> Channel:
        """Start a command line by the account's login shell.

        Raises:
            SshProblemError: the server refuses, or the connection broke.
        """
        try:
            channel = self._transport.open_session(timeout=_OPEN_S)
            try:
                channel.exec_command(line)
            except BaseException:
                channel.close()
                raise
        except _BROKEN as error:
            raise SshProblemError(_said(error)) from None
        return cast("Channel", channel)

    def channel_to(self, host: str, port: int, timeout_s: float) -> Stream:
        """A connection from this host to another one, to speak SSH over.

        Raises:
            SshProblemError: the server refuses, or cannot reach the other.
        """
        try:
            return self._transport.open_channel(
                "direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=timeout_s
            )
        except _BROKEN as error:
            raise SshProblemError(_said(error)) from None

    def listen(self, accept: Callable[[Stream], None]) -> int:
        """A free port of the host's own loopback; `accept` is called with each connection to it, and must not wait.

        Raises:
            SshProblemError: the server refuses, or the connection broke.
        """
        try:
            return self._transport.request_port_forward("127.0.0.1", 0, lambda channel, *_: accept(channel))
        except _BROKEN as error:
            raise SshProblemError(_said(error)) from None

    def create_file(self, path: str, data: bytes, mode: int) -> bool:
        """Write a new file by SFTP. False where the server has no SFTP.

        Raises:
            SshProblemError: the connection broke.
            OSError: the file exists or cannot be written.
        """
        with self._one_at_a_time:
            if self._files is None:
                try:
                    self._files = cast("_Sftp", _Sftp.from_transport(self._transport))
                except _BROKEN as error:
                    if self.alive():
                        return False
                    raise SshProblemError(_said(error)) from None
            try:
                self._files.create(path, data, mode)
            except (TimeoutError, EOFError, paramiko.SSHException) as error:
                raise SshProblemError(_said(error)) from None
        return True

    def exists(self, path: str) -> bool | None:
        """Whether there is anything of that name, a dangling link too. None where nobody can say: SFTP was not used before.

        Raises:
            SshProblemError: the connection broke.
        """
        if self._files is None:
            return None
        with self._one_at_a_time:
            try:
                self._files.get_channel().settimeout(_OPEN_S)  # type: ignore[union-attr]
                self._files.lstat(path)
            except FileNotFoundError:
                return False
            except (TimeoutError, EOFError, paramiko.SSHException) as error:
                raise SshProblemError(_said(error)) from None
            except OSError:
                return None
        return True

    def close(self) -> None:
        """Close it. Never raises."""
        with contextlib.suppress(*_BROKEN):
            self._transport.close()


class _Sftp(paramiko.SFTPClient):
    """Creates files as paramiko's `open` cannot: with their mode from the first moment."""

    def create(self, path: str, data: bytes, mode: int) -> None:
        """Write a new file.

        Raises:
            OSError: it exists already or cannot be written; what was begun is removed.
        """
        self.get_channel().settimeout(_OPEN_S)  # type: ignore[union-attr]
        flags = paramiko.sftp.SFTP_FLAG_WRITE | paramiko.sftp.SFTP_FLAG_CREATE | paramiko.sftp.SFTP_FLAG_EXCL
        attributes = paramiko.SFTPAttributes()
        attributes.st_mode = mode
        try:
            _, answer = self._request(paramiko.sftp.CMD_OPEN, path.encode(), flags, attributes)  # type: ignore[attr-defined]
        except OSError as error:
            raise OSError(self._why_not(path, error)) from None
        try:
            with paramiko.SFTPFile(self, answer.get_binary(), "wb", 0) as file:
                file.chmod(mode)  # the server's umask took its part of it
                self._send(file, data)
        except OSError:
            with contextlib.suppress(OSError):
                self.remove(path)
            raise

    def _send(self, file: paramiko.SFTPFile, data: bytes) -> None:
        """All slices but the last without waiting for answers; the last one collects and checks every answer."""
        slices = [data[start : start + _SLICE] for start in range(0, len(data), _SLICE)]
        file.set_pipelined(True)
        for number, piece in enumerate(slices, start=1):
            file.set_pipelined(number < len(slices))
            try:
                file.write(piece)
            except TimeoutError:
                raise
            except OSError as error:
                raise OSError(f"{error} while writing (is there space left?)") from None

    def _why_not(self, path: str, error: OSError) -> str:
        """OpenSSH answers a bare "Failure" for a file that exists."""
        with contextlib.suppress(OSError):
            self.lstat(path)
            return "File exists"
        return error.strerror or str(error)


class _Agent(paramiko.agent.AgentSSH):
    """The agent at a socket that the configuration may name; paramiko's own knows SSH_AUTH_SOCK only."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.settimeout(_ANSWER_S)  # an agent may ask its person to confirm
            self._socket.connect(path)
            self._connect(self._socket)  # type: ignore[attr-defined]
        except BaseException:
            self._socket.close()
            raise

    def close(self) -> None:
        self._socket.close()


class _AuthHandler(paramiko.auth_handler.AuthHandler):
    """Asks for the authentication service once.

    paramiko's asks again before every attempt, and servers that go by the book (asyncssh, Go's) then hang up; its
    ServiceRequestingTransport waits for ever where a server hangs up, and cannot ask for the methods.
    """

    service_accepted = False

    def _request_auth(self) -> None:
        if not self.service_accepted:
            super()._request_auth()  # type: ignore[misc]
            return
        accepted = paramiko.Message()
        accepted.add_string("ssh-userauth")
        accepted.rewind()
        self._parse_service_accept(accepted)  # type: ignore[attr-defined]


class _Login:
    """`authentication.Login` by paramiko."""

    def __init__(self, transport: paramiko.Transport, config: HostConfig, held: ExitStack) -> None:
        transport.auth_timeout = _ANSWER_S
        self._transport = transport
        self._user = config.user
        self._asked = False
        self._agent: dict[bytes, paramiko.AgentKey] = {}
        self.methods: frozenset[str] = frozenset()
        if config.identity_agent:
            with contextlib.suppress(*_BROKEN):
                agent = held.enter_context(contextlib.closing(_Agent(config.identity_agent)))
                self._agent = {key.blob: key for key in agent.get_keys()}

    def begin(self) -> bool:
        return self._offer(lambda handler, done: handler.auth_none(self._user, done))

    def agent_keys(self) -> list[tuple[bytes, str]]:
        return [(blob, key.comment) for blob, key in self._agent.items()]

    def offer_agent_key(self, public: bytes) -> bool:
        key = self._agent[public]
        return self._offer(lambda handler, done: handler.auth_publickey(self._user, key, done))

    def offer_key(self, pem: bytes, certificate: Path | None) -> bool:
        key = _private_key(pem)
        if certificate is not None:
            try:
                key.load_certificate(str(certificate))
            except (ValueError, *_BROKEN):
                return False
        return self._offer(lambda handler, done: handler.auth_publickey(self._user, key, done))

    def offer_password(self, password: str) -> bool:
        return self._offer(lambda handler, done: handler.auth_password(self._user, password, done))

    def answer(self, respond: Callable[[Sequence[str]], list[str]]) -> bool:
        raised: list[BaseException] = []

        def answers(_title: str, _instructions: str, prompts: list[tuple[str, bool]]) -> list[str]:
            # Runs in paramiko's thread, where an error would be lost with the connection.
            try:
                return respond([prompt for prompt, _ in prompts])
            except BaseException as error:  # noqa: BLE001
                raised.append(error)
                return [""] * len(prompts)

        accepted = self._offer(lambda handler, done: handler.auth_interactive(self._user, answers, done))
        if raised:
            raise raised[0]
        return accepted

    def _offer(self, attempt: Callable[[_AuthHandler, threading.Event], None]) -> bool:
        done = threading.Event()
        handler = _AuthHandler(self._transport)
        handler.service_accepted = self._asked
        self._transport.auth_handler = handler
        self._asked = True
        try:
            attempt(handler, done)
            remaining = handler.wait_for_response(done)
        except paramiko.BadAuthenticationType as error:
            self.methods = frozenset(error.allowed_types)
            return False
        except _BROKEN:
            if not self._transport.is_active():
                raise DroppedError from None
            return False
        self.methods = frozenset(remaining)
        return not remaining


def _private_key(pem: bytes) -> paramiko.PKey:
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        with contextlib.suppress(paramiko.SSHException, ValueError):
            return kind.from_private_key(io.StringIO(pem.decode()))
    raise ToolkitError("A private key is of a type that the SSH library does not use.")


def read_by_paramiko(address: Address, options: ConnectOptions) -> Keywords:
    """Read the client's configuration where there is no ssh to ask."""
    home = Path("~/.ssh").expanduser()
    if options.config_path is not None:
        text = inlined(options.config_path, home)
    else:
        text = (
            inlined(home / "config", home)
            + "Host *\n"
            + inlined(Path("/etc/ssh/ssh_config"), Path("/etc/ssh"))
        )
    found = paramiko.SSHConfig.from_text(text).lookup(address.host)
    values: dict[str, str | list[str] | None] = dict(found)
    return {key: value if isinstance(value, list) else [value or "none"] for key, value in values.items()}
