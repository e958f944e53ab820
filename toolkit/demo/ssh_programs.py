"""The two programs that can serve SSH, and how each is configured for loopback and throwaway keys."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from toolkit.demo.ssh_files import SshFiles, in_config, quoted, write_private
from toolkit.errors import ToolkitError

_SBIN = "/usr/sbin:/usr/local/sbin:/sbin:/usr/local/bin:/opt/homebrew/sbin"


@dataclass(frozen=True)
class ServerOptions:
    """What a server is asked to be; the meaning of each field is told by `start_ssh_server`."""

    host_alias: str
    user: str
    password: str
    questions: bool
    sftp: bool


def openssh_server() -> str | None:
    """The path of OpenSSH's sshd, where it is installed."""
    return shutil.which("sshd", path=os.environ.get("PATH", os.defpath) + ":" + _SBIN)


def embedded_available() -> bool:
    """Whether the library of the embedded server is installed."""
    return importlib.util.find_spec("asyncssh") is not None


def prepare_openssh(files: SshFiles, port: int, options: ServerOptions) -> list[str]:
    """Write sshd's configuration and return its argv."""
    sshd = openssh_server()
    if sshd is None:
        raise ToolkitError("OpenSSH's sshd is not installed.")
    if options.password:
        raise ToolkitError("OpenSSH's sshd knows the system's passwords only.")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # for its privilege separation; a reboot clears it
    lines = _openssh_lines(files, port, options)
    # From 9.8 on sshd locks out an address after failed logins, and here all share one.
    # Older ones do not know the word.
    for extra in (["PerSourcePenalties no"], []):
        write_private(files.openssh_config, "".join(f"{line}\n" for line in [*lines, *extra]).encode())
        if (
            subprocess.run(
                [sshd, "-t", "-f", str(files.openssh_config)], check=False, capture_output=True
            ).returncode
            == 0
        ):
            break
    return [sshd, "-D", "-f", str(files.openssh_config), "-E", str(files.log)]


def _openssh_lines(files: SshFiles, port: int, options: ServerOptions) -> list[str]:
    if os.geteuid() == 0:
        # Read by root: the account that comes in need not be able to reach this folder.
        keys = [
            "AuthorizedKeysFile none",
            f"AuthorizedKeysCommand /bin/cat {in_config(files.authorized_keys)}",
            "AuthorizedKeysCommandUser root",
        ]
    else:
        keys = [f"AuthorizedKeysFile {in_config(files.authorized_keys)}"]
    return [
        "ListenAddress 127.0.0.1",
        f"Port {port}",
        f"HostKey {quoted(files.host_key)}",
        f"PidFile {quoted(files.pid_file)}",
        *keys,
        f"AllowUsers {options.user}",
        "PermitRootLogin prohibit-password",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        f"UsePAM {'yes' if _locked(options.user) else 'no'}",
        "StrictModes no",
        "UseDNS no",
        "PrintMotd no",
        "PrintLastLog no",
        "PermitUserRC no",
        "AllowAgentForwarding no",
        "X11Forwarding no",
        "MaxStartups 100",
        "MaxSessions 100",
        "LogLevel VERBOSE",
        *(["Subsystem sftp internal-sftp"] if options.sftp else []),
    ]


def _locked(user: str) -> bool:
    """Whether sshd without PAM would call the account locked (`!` for a password), even for a key."""
    try:
        for line in Path("/etc/shadow").read_text(encoding="utf-8").splitlines():
            name, secret = line.split(":")[:2]
            if name == user:
                return secret.startswith("!")
    except (OSError, ValueError):
        pass  # not readable: then sshd, run by the same account, cannot read it either
    return False


def prepare_embedded(files: SshFiles, port: int, options: ServerOptions) -> list[str]:
    """Write the embedded server's configuration and return its argv."""
    if not embedded_available():
        raise ToolkitError("The Python package asyncssh is not installed.")
    config = {
        "port": port,
        "host_key": str(files.host_key),
        "authorized_keys": str(files.authorized_keys),
        "password": options.password,
        "questions": options.questions,
        "sftp": options.sftp,
        "pid_file": str(files.pid_file),
        "log_file": str(files.log),
    }
    write_private(files.embedded_config, json.dumps(config, indent=2).encode())
    program = Path(__file__).with_name("embedded_sshd.py")
    return [sys.executable, "-P", str(program), str(files.embedded_config)]


PREPARE = {"openssh": prepare_openssh, "asyncssh": prepare_embedded}
