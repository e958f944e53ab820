"""The SSH transport."""

from __future__ import annotations

import contextlib
import itertools
from contextlib import ExitStack
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError, UnreachableError
from toolkit.transports.authentication import Authenticator
from toolkit.transports.channel_process import ChannelProcess
from toolkit.transports.client_config import read_host
from toolkit.transports.dialing import dial, dial_by_command
from toolkit.transports.exchange import run_to_end
from toolkit.transports.host_key import HostKeys
from toolkit.transports.quoting import command_line
from toolkit.transports.route import plan_route
from toolkit.transports.shell_files import check_put, exists_argv, put_argv, read_exists
from toolkit.transports.ssh_connection import SshConnection, SshProblemError, read_by_paramiko
from toolkit.transports.tunnel import carry_to

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.transports.address import Address
    from toolkit.transports.base import Completed, ConnectOptions
    from toolkit.transports.client_config import HostConfig
    from toolkit.transports.dialing import Stream

_PUT_S = 60.0
_LOOK_S = 12.0
_KEEPALIVE_S = 10


class SshTransport:
    """One host over one SSH connection. Commands may run side by side, from any threads."""

    def __init__(self, connection: SshConnection, config: HostConfig, held: ExitStack) -> None:
        self._connection = connection
        self._address = config.shown
        self._held = held
        self._sftp = True

    @property
    def address(self) -> str:
        """`ssh://user@host:port`, as the configuration resolved it."""
        return self._address

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 30.0) -> Completed:
        """Run argv to its end; see `Transport.run`. A command that outlasts `timeout_s` is hung up on, not killed."""
        done = run_to_end(self.start(argv), argv, stdin=stdin, timeout_s=timeout_s, address=self._address)
        if done.exit_code == -1 and not self._connection.alive():
            raise self._broke()
        return done

    def start(self, argv: Sequence[str]) -> ChannelProcess:
        """Start argv by the account's login shell; see `Transport.start`."""
        try:
            channel = self._connection.start(command_line(argv))
        except SshProblemError as error:
            if not self._connection.alive():
                raise self._broke() from None
            raise UnreachableError(
                f"{self._address} starts no command: {error}.",
                "Does the account have a login shell, and does sshd allow enough sessions (MaxSessions)?",
            ) from None
        return ChannelProcess(channel, self._address)

    def put(self, data: bytes, path: str, mode: int) -> None:
        """Write a new file by SFTP, or by a shell where the server has none; see `Transport.put`."""
        try:
            self._sftp = self._sftp and self._connection.create_file(path, data, mode)
        except SshProblemError:
            raise self._broke() from None
        except OSError as error:
            raise ToolkitError(f"{path} on {self._address} could not be written: {error}.") from None
        if not self._sftp:
            done = self.run(put_argv(path, mode), stdin=data, timeout_s=_PUT_S)
            check_put(done, path, self._address)

    def exists(self, path: str) -> bool:
        """Look by SFTP, where it has been used before, else by a shell; see `Transport.exists`."""
        try:
            found = self._connection.exists(path)
        except SshProblemError:
            raise self._broke() from None
        if found is not None:
            return found
        done = self.run(exists_argv(path), timeout_s=_LOOK_S)
        return read_exists(done, path, self._address)

    def reverse(self, port: int) -> int:
        """A tunnel back to this machine; see `Tunnels.reverse`."""
        try:
            return self._connection.listen(carry_to(port))
        except SshProblemError as error:
            if not self._connection.alive():
                raise self._broke() from None
            raise UnreachableError(
                f"{self._address} opens no port that leads back here: {error}.",
                "Does its sshd allow that (AllowTcpForwarding remote or yes, PermitListen)?",
            ) from None

    def _broke(self) -> UnreachableError:
        return UnreachableError(
            f"The connection to {self._address} broke.", "Is the host up, and the network?"
        )

    def close(self) -> None:
        """Close the connection and those to the jump hosts. Never raises; safe to call twice."""
        with contextlib.suppress(OSError, EOFError):
            self._held.close()


def open_ssh(address: Address, options: ConnectOptions) -> SshTransport:
    """Connect to a host, over its jump hosts, and log in at each.

    Raises:
        UsageError: the client's configuration is wrong.
        UnreachableError: a host cannot be reached.
        NotPermittedError: a host key is not known, or a login was refused.
    """
    route = resolve(address, options)
    with ExitStack() as held:
        connection = _connect_first(route[0], options, held)
        for jump, config in itertools.pairwise(route):
            connection = _connect(config, _stream_over(connection, jump, config, held), options, held)
        return SshTransport(connection, route[-1], held.pop_all())


def resolve(address: Address, options: ConnectOptions) -> list[HostConfig]:
    """The hosts on the way to an address, itself last, by the client's configuration. Connects to nothing.

    Raises:
        UsageError: the client's configuration is wrong.
    """
    return plan_route(address, lambda one, jumped: read_host(one, options, read_by_paramiko, jumped=jumped))


def _connect_first(config: HostConfig, options: ConnectOptions, held: ExitStack) -> SshConnection:
    """Connect to the first host of the way, by TCP or by its ProxyCommand."""
    if not config.proxy_command:
        return _connect(config, held.enter_context(contextlib.closing(dial(config))), options, held)
    command = held.enter_context(contextlib.closing(dial_by_command(config)))
    try:
        return _connect(config, command.connection, options, held)
    except _NoHandshakeError as error:
        # The program alone: what stands after it may be a secret.
        program = config.proxy_command.split()[0]
        raise UnreachableError(
            f"{error.message} The ProxyCommand of {config.alias} ({program} …) {command.outcome()}.",
            f"Does `ssh {config.alias}` get through with it? Mend ProxyCommand in your SSH configuration.",
        ) from None


class _NoHandshakeError(UnreachableError):
    """What answers, if anything does, does not speak SSH as far as the host's key."""


def _stream_over(connection: SshConnection, jump: HostConfig, config: HostConfig, held: ExitStack) -> Stream:
    try:
        channel = connection.channel_to(config.hostname, config.port, config.timeout_s)
    except SshProblemError as error:
        raise UnreachableError(
            f"{jump.shown} cannot reach {config.hostname} port {config.port}: {error}.",
            "Does the jump host allow forwarding (AllowTcpForwarding), and does it see the host?",
        ) from None
    held.callback(channel.close)
    return channel


def _connect(config: HostConfig, stream: Stream, options: ConnectOptions, held: ExitStack) -> SshConnection:
    """Check the host's key, then log in."""
    connection = SshConnection(stream)
    held.callback(connection.close)
    host_keys = HostKeys(config)
    try:
        shown = connection.handshake(host_keys.known_kinds(), config.timeout_s)
    except SshProblemError as error:
        raise _NoHandshakeError(
            f"No SSH connection to {config.hostname} port {config.port}: {error}.",
            "Is this the port of an SSH server, and of a recent one?",
        ) from None
    host_keys.check(shown)
    with ExitStack() as while_logging_in:
        Authenticator(connection.login(config, while_logging_in), config, options).run()
    connection.keep_alive(config.keepalive_s or _KEEPALIVE_S)
    return connection
