"""A real systemd, process 1 of namespaces of the test's: it manages nothing but itself, a bus, and what a test starts."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

_SYSTEMD = "/lib/systemd/systemd"
_PROGRAMS = ("unshare", "nsenter", "busctl", "dbus-daemon")
# No unit of the machine's is started: those of its boot would clear /tmp and set the clock.
_BOOT = f"""set -e
mount --make-rprivate /
mount -t tmpfs none /run
umount -R /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
mount --bind /proc/sys /proc/sys
mount -o remount,ro,bind /proc/sys
mkdir -p /run/systemd/system /run/lock /run/dbus
cd /run/systemd/system
printf '[Unit]\\nDefaultDependencies=no\\nWants=dbus.socket dbus.service\\n' > lab.target
printf '[Unit]\\nDefaultDependencies=no\\n[Socket]\\nListenStream=/run/dbus/system_bus_socket\\n' > dbus.socket
printf '[Unit]\\nDefaultDependencies=no\\nRequires=dbus.socket\\n[Service]\\n' > dbus.service
printf 'ExecStart=/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile --systemd-activation\\n' >> dbus.service
export container=lxc
exec {_SYSTEMD} --system --unit=lab.target --log-target=console --show-status=0
"""


class Systemd:
    """Runs from `__enter__` on; skips the test where that is not possible.

    `inside` is the command that runs what follows it among its processes.
    """

    def __enter__(self) -> Systemd:
        missing = [program for program in _PROGRAMS if shutil.which(program) is None]
        missing += [path for path in (_SYSTEMD,) if not os.access(path, os.X_OK)]
        if missing or os.geteuid() != 0:
            pytest.skip(f"no systemd of our own: {', '.join(missing) or 'not root'}")
        self._group = _unified() / f"toolkit-test-{os.getpid()}"
        self._group.mkdir()
        spaces = ["--pid", "--mount", "--uts", "--ipc", "--cgroup", "--mount-proc", "--fork", "--kill-child"]
        joined = f'echo $$ > {self._group}/cgroup.procs; exec "$@"'
        self._holder = subprocess.Popen(
            ["sh", "-c", joined, "sh", "unshare", *spaces, "sh", "-c", _BOOT],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        try:
            self.inside = ["nsenter", "-t", str(self._first()), "-m", "-p", "-u", "-i", "-C"]
            self._await_bus()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._holder.kill()
        self._holder.communicate()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            for folder in sorted(self._group.rglob("*/"), reverse=True):
                with contextlib.suppress(OSError):
                    folder.rmdir()
            with contextlib.suppress(OSError):
                self._group.rmdir()
                return
            time.sleep(0.05)

    def ask(self, *words: str) -> str:
        """What systemctl answers."""
        argv = [*self.inside, "systemctl", "--no-pager", *words]
        return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=10).stdout.strip()

    def _first(self) -> int:
        children = Path(f"/proc/{self._holder.pid}/task/{self._holder.pid}/children")
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            found = children.read_text().split() if children.exists() else []
            if found:
                return int(found[0])
            time.sleep(0.02)
        pytest.skip("no namespaces may be made here")

    def _await_bus(self) -> None:
        argv = [*self.inside, "busctl", "--timeout=1", "status", "org.freedesktop.systemd1"]
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self._holder.poll() is None:
            if subprocess.run(argv, capture_output=True, check=False).returncode == 0:
                return
            time.sleep(0.05)
        self._holder.kill()
        assert self._holder.stdout
        pytest.skip(f"systemd did not come up: {self._holder.stdout.read()[-300:]!r}")


def _unified() -> Path:
    """Where the one hierarchy of control groups lies, on its own or beside those of version 1."""
    for path in (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup")):
        if (path / "cgroup.procs").exists() and os.access(path, os.W_OK):
            return path
    pytest.skip("no control groups of version 2 here")
