"""A server to do as one likes with: real sshd, real sudo, real users, in a mount namespace that ends with the test.

Its /etc, /home, /run, /tmp, /var/tmp and /usr/local/lib are its own; processes and ports are this machine's.
"""

from __future__ import annotations

import contextlib
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.gunicorns import free_port, until
from toolkit.transports.base import ConnectOptions
from toolkit.transports.registry import open_transport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.transports.base import Transport

PASSWORD = "Gänse wein-4711"

_SETUP = r"""
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
for path in /etc /usr/local/lib; do
    mkdir -p /mnt$path
    cp -a $path/. /mnt$path/
    mount --bind /mnt$path $path
done
rm -f /etc/sudoers.d/gunicorn-toolkit
for path in /home /run /tmp /var/tmp; do mount -t tmpfs -o mode=1777 tmpfs $path; done
chmod 755 /home /run
mkdir -p /run/sshd /run/sudo
useradd --create-home --shell /bin/sh deploy
chpasswd
mkdir -m 700 ~deploy/.ssh /etc/throwaway
ssh-keygen -q -t ed25519 -N '' -f /etc/throwaway/host
ssh-keygen -q -t ed25519 -N '' -f /etc/throwaway/user
cp /etc/throwaway/user.pub ~deploy/.ssh/authorized_keys
chown -R deploy ~deploy/.ssh
echo ready
exec sleep 900
"""


class ThrowawayServer:
    """Root does `sh(script)` on it; `transport()` logs in as its user `deploy` over SSH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._sshd: subprocess.Popen[bytes] | None = None
        self._holder = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", _SETUP],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._holder.stdin
        assert self._holder.stdout
        try:
            self._holder.stdin.write(f"deploy:{PASSWORD}\n".encode())
            self._holder.stdin.close()
            assert self._holder.stdout.readline() == b"ready\n", "the namespace could not be set up"
            self._start_sshd()
        except BaseException:
            self.stop()
            raise

    def _start_sshd(self) -> None:
        host_key = self.sh("cat /etc/throwaway/host.pub").strip()
        self.known_hosts = self.folder / "known_hosts"
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {host_key}\n")
        self.identity = self.folder / "id_ed25519"
        self.identity.touch(mode=0o600)
        self.identity.write_text(self.sh("cat /etc/throwaway/user"))
        self.client_config = self.folder / "ssh_config"
        self.client_config.write_text("")
        config = [
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            "HostKey /etc/throwaway/host",
            "PidFile none",
            "UsePAM no",
            "PasswordAuthentication no",
            "AllowUsers deploy",
            "Subsystem sftp internal-sftp",
        ]
        self.sh(f"printf '%s\\n' {shlex.join(config)} >/etc/throwaway/sshd_config")
        self._sshd = subprocess.Popen(
            self.inside(
                "/usr/sbin/sshd", "-D", "-E", "/etc/throwaway/log", "-f", "/etc/throwaway/sshd_config"
            ),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        until(self._open, "the SSH server", 10)

    def _open(self) -> bool:
        with contextlib.suppress(OSError):
            return f":{self.port:04X} " in Path("/proc/net/tcp").read_text()
        return False

    def inside(self, *argv: str) -> list[str]:
        """The command that runs `argv` there, as root."""
        return ["nsenter", "-t", str(self._holder.pid), "-m", "--", *argv]

    def sh(self, script: str, *, user: str = "root") -> str:
        """Run a script there; its standard output."""
        command = ["sh", "-c", script] if user == "root" else ["su", user, "-s", "/bin/sh", "-c", script]
        done = subprocess.run(
            self.inside(*command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode != 0:
            raise AssertionError(f"{script!r} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def transport(self) -> Transport:
        """A new connection."""
        options = ConnectOptions(
            config_path=self.client_config, known_hosts=(self.known_hosts,), identity_files=(self.identity,)
        )
        return open_transport(f"ssh://deploy@127.0.0.1:{self.port}", options)

    @contextlib.contextmanager
    def rule(self, text: str) -> Iterator[None]:
        """A sudoers file in force for a while."""
        path = "/etc/sudoers.d/throwaway"
        self.sh(f"printf '%s\\n' {shlex.quote(text)} >{path}; chmod 0440 {path}; visudo -cqf {path}")
        try:
            yield
        finally:
            self.sh(f"rm -f {path}")

    @contextlib.contextmanager
    def mounted(self, path: str, options: str) -> Iterator[None]:
        """Another file system over `path` for a while."""
        self.sh(f"mount -t tmpfs -o mode=1777,{options} tmpfs {path}")
        try:
            yield
        finally:
            self.sh(f"umount -l {path}")

    def left_over(self) -> list[str]:
        """Everything of ours in the places where it could lie."""
        found = self.sh(
            "ls -d /tmp/toolkit* /var/tmp/toolkit* /home/deploy/toolkit* /dev/shm/toolkit* 2>/dev/null || :"
        )
        return found.split()

    def processes(self, word: str = "agent.pyz") -> list[int]:
        """PIDs of processes of this server whose command line holds `word`."""
        ours = _namespace(self._holder.pid)
        return [pid for pid, line in command_lines() if word in line and _namespace(pid) == ours]

    def stop(self) -> None:
        """End sshd and the namespace."""
        for process in (self._sshd, self._holder):
            if process is not None:
                process.kill()
                process.wait()
        if self._holder.stdout:
            self._holder.stdout.close()


def command_lines() -> list[tuple[int, str]]:
    """PID and command line of every process."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                found.append((int(entry.name), (entry / "cmdline").read_bytes().decode("utf-8", "replace")))
    return found


def _namespace(pid: int) -> str:
    with contextlib.suppress(OSError):
        return str(Path(f"/proc/{pid}/ns/mnt").readlink())
    return ""


def can_be_made() -> bool:
    """Whether this machine lets us have a mount namespace."""
    try:
        done = subprocess.run(
            ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False
        )
    except OSError:
        return False
    return done.returncode == 0
