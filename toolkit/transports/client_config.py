"""What the SSH client's configuration says about one host, read by ssh itself where there is one."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.errors import UsageError
from toolkit.transports.address import shown_host

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from toolkit.transports.address import Address
    from toolkit.transports.base import ConnectOptions

    Keywords = Mapping[str, list[str]]
    Reader = Callable[[Address, ConnectOptions], Keywords]

_SSH_S = 20.0  # `Match exec` runs commands
_DEFAULT_TIMEOUT_S = 15.0
_DEFAULT_KEYS = tuple(
    f"~/.ssh/id_{kind}" for kind in ("rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk", "xmss", "dsa")
)
_USER_KNOWN_HOSTS = "~/.ssh/known_hosts ~/.ssh/known_hosts2"
_GLOBAL_KNOWN_HOSTS = "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"


@dataclass(frozen=True)
class HostConfig:
    """Everything that is needed to connect to one host."""

    alias: str
    hostname: str
    port: int
    user: str
    identity_files: tuple[Path, ...]
    identities_only: bool
    identity_agent: str
    """The agent's socket; empty for none."""
    known_hosts: tuple[Path, ...]
    """The user's, then the system's; never empty."""
    revoked_host_keys: tuple[Path, ...]
    """Lists of keys (text, or what `ssh-keygen -k` makes) that no host may show."""
    host_key_alias: str
    strict_host_key_checking: str
    proxy_jump: str
    proxy_command: str
    timeout_s: float
    keepalive_s: int
    direct: bool
    """Whether the host is reached without another one in between."""

    @property
    def shown(self) -> str:
        """`ssh://user@host:port`."""
        return f"ssh://{self.user}@{shown_host(self.hostname)}:{self.port}"


def read_host(
    address: Address, options: ConnectOptions, fallback: Reader, *, jumped: bool = False
) -> HostConfig:
    """Look up a host.

    Args:
        address: what was asked for; its user and port win over the configuration.
        options: which configuration to read, and what wins over it.
        fallback: reads the configuration where there is no ssh.
        jumped: another host was already passed: the host's own ProxyJump and ProxyCommand do not count.

    Raises:
        UsageError: the configuration cannot be read or is wrong.
    """
    if options.config_path is not None and not options.config_path.exists():
        raise UsageError(f"The SSH configuration {options.config_path} does not exist.")
    read = read_by_ssh if find_ssh() else fallback
    return make_host(address, read(address, options), options, jumped=jumped)


def find_ssh() -> str | None:
    """The ssh program, where there is one."""
    return shutil.which("ssh")


def ssh_argv(address: Address, options: ConnectOptions) -> list[str]:
    """The question to ssh: what its configuration says of a host."""
    argv = ["ssh", "-G"]
    if options.config_path is not None:
        argv += ["-F", str(options.config_path)]
    if address.user:
        argv += ["-l", address.user]
    if address.port:
        argv += ["-p", str(address.port)]
    return [*argv, "--", address.host]


def read_by_ssh(address: Address, options: ConnectOptions) -> Keywords:
    """Ask `ssh -G`: it follows Include, Match, patterns and tokens as no copy of it would.

    Raises:
        UsageError: ssh does not like the configuration; says what ssh said.
    """
    try:
        done = subprocess.run(
            ssh_argv(address, options),
            check=False,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_SSH_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        raise UsageError(
            f"ssh could not read its configuration for {address.host} within {_SSH_S:.0f} s.",
            "A `Match exec` in it may hang.",
        ) from None
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().replace("\r", "").replace("\n", " ")
        raise UsageError(f"ssh refuses its configuration for {address.host}: {said}")
    return parse_dump(done.stdout.decode(errors="replace"))


def parse_dump(text: str) -> dict[str, list[str]]:
    """Take the output of `ssh -G` apart: keyword → its values, in order."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        keyword, _, value = line.partition(" ")
        found.setdefault(keyword.lower(), []).append(value.strip())
    return found


def make_host(address: Address, keywords: Keywords, options: ConnectOptions, *, jumped: bool) -> HostConfig:
    """From keywords to what they mean.

    Raises:
        UsageError: a port is none.
    """

    def one(keyword: str, default: str = "") -> str:
        value = keywords.get(keyword, [default])[0]
        return "" if value.lower() == "none" else value

    hostname = one("hostname", address.host).replace("%h", address.host)
    port = one("port", "22")
    if not port.isdigit():
        raise UsageError(f"The SSH configuration gives {address.host} the port {port!r}.")
    user = address.user or one("user") or getpass.getuser()
    tokens = _tokens(address.host, hostname, address.port or int(port), user, one("hostkeyalias"))
    identities = [
        _path(text, tokens) for text in keywords.get("identityfile", _DEFAULT_KEYS) if text.lower() != "none"
    ]
    known = options.known_hosts or tuple(
        _path(text, tokens)
        for keyword, default in (
            ("userknownhostsfile", _USER_KNOWN_HOSTS),
            ("globalknownhostsfile", _GLOBAL_KNOWN_HOSTS),
        )
        for text in _paths(one(keyword, default))
    )
    jump = "" if jumped else _expanded(one("proxyjump"), tokens)
    command = "" if jumped or jump else _expanded(one("proxycommand"), tokens)
    return HostConfig(
        alias=address.host,
        hostname=hostname,
        port=address.port or int(port),
        user=user,
        identity_files=(*options.identity_files, *identities),
        identities_only=one("identitiesonly", "no").lower() == "yes",
        identity_agent=_agent(keywords.get("identityagent", ["SSH_AUTH_SOCK"])[0], tokens),
        known_hosts=known or (Path("~/.ssh/known_hosts").expanduser(),),
        revoked_host_keys=tuple(_path(text, tokens) for text in _paths(one("revokedhostkeys"))),
        host_key_alias=one("hostkeyalias"),
        strict_host_key_checking=_strictness(one("stricthostkeychecking", "ask")),
        proxy_jump=jump,
        proxy_command=command,
        timeout_s=options.timeout_s or _number(one("connecttimeout")) or _DEFAULT_TIMEOUT_S,
        keepalive_s=_number(one("serveraliveinterval")),
        direct=not (jumped or jump or command),
    )


def is_default_key(path: Path) -> bool:
    """Whether nobody asked for this key: ssh tries it because it lies where keys lie."""
    return path in {Path(text).expanduser() for text in _DEFAULT_KEYS}


def _strictness(word: str) -> str:
    return {"true": "yes", "false": "no", "off": "no"}.get(word.lower(), word.lower())


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _agent(value: str, tokens: Mapping[str, str]) -> str:
    if value == "SSH_AUTH_SOCK":
        return os.environ.get("SSH_AUTH_SOCK", "")
    if value.startswith("$"):
        return os.environ.get(value.strip("${}"), "")
    return "" if value.lower() == "none" else str(_path(value, tokens))


def _tokens(alias: str, hostname: str, port: int, user: str, host_key_alias: str) -> dict[str, str]:
    local = socket.gethostname()
    return {
        "%": "%",
        "d": str(Path.home()),
        "h": hostname,
        "i": str(os.getuid()),
        "k": host_key_alias or alias,
        "L": local.split(".")[0],
        "l": local,
        "n": alias,
        "p": str(port),
        "r": user,
        "u": getpass.getuser(),
    }


def _expanded(text: str, tokens: Mapping[str, str]) -> str:
    with_environment = re.sub(r"\$\{(\w+)\}", lambda found: os.environ.get(found[1], ""), text)
    return re.sub("%(.)", lambda found: tokens.get(found[1], found[0]), with_environment)


def _path(text: str, tokens: Mapping[str, str]) -> Path:
    return Path(_expanded(text.strip('"'), tokens)).expanduser()


def _paths(text: str) -> list[str]:
    """Several paths in one value. `ssh -G` leaves out the quotes, so a word that starts none belongs to the last."""
    found: list[str] = []
    for word in re.findall(r'"[^"]*"|\S+', text):
        if found and not re.match(r'["/~$%]', word) and word.lower() != "none":
            found[-1] += " " + word
        else:
            found.append(word)
    return [path for path in found if path.lower() != "none"]
