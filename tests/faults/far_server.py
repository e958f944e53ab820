"""An SSH server in a network namespace of its own, at the far end of a cable that can be made to lose everything."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from toolkit.demo.ssh_files import SshFiles
from toolkit.demo.ssh_programs import openssh_server

if TYPE_CHECKING:
    from pathlib import Path

_PREFIX = "169.254.213"  # link-local: such packets leave no machine
_PROGRAMS = ("ip", "unshare", "nsenter")


class FarServer:
    """The demo's sshd once more, in a namespace; the demo's client configuration then leads to it.

    Processes and files are this machine's: the agent that is started over it finds the demo's gunicorn by its pidfile.
    """

    def __init__(self, folder: Path) -> None:
        missing = [program for program in _PROGRAMS if shutil.which(program) is None]
        if missing or os.geteuid() != 0:
            pytest.skip(f"no network namespace: {', '.join(missing) or 'not root'}")
        number = os.getpid() % 60
        self._near, self._far = f"{_PREFIX}.{4 * number + 1}", f"{_PREFIX}.{4 * number + 2}"
        self._cable = f"far{os.getpid() % 100000}"
        self._files = SshFiles(folder)
        self._server: subprocess.Popen[bytes] | None = None
        self._holder = subprocess.Popen(
            ["unshare", "-n", "sh", "-c", "echo ready; exec sleep 300"], stdout=subprocess.PIPE
        )
        assert self._holder.stdout
        if self._holder.stdout.readline() != b"ready\n":
            self.stop()
            pytest.skip("no network namespace may be made here")
        try:
            self._lay_cable()
            self._serve()
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """Of its sshd."""
        assert self._server
        return self._server.pid

    def go_silent(self) -> None:
        """Nobody there takes what is sent to its address, and nothing is sent from it; no side is told."""
        self._inside("ip", "addr", "del", f"{self._far}/30", "dev", self._cable)

    def come_back(self) -> None:
        """As before."""
        self._inside("ip", "addr", "add", f"{self._far}/30", "dev", self._cable)

    def _lay_cable(self) -> None:
        near = f"{self._cable}n"
        peer = ("peer", "name", self._cable, "netns", str(self._holder.pid))
        made = subprocess.run(["ip", "link", "add", near, "type", "veth", *peer], capture_output=True, check=False)  # fmt: skip
        if made.returncode:
            pytest.skip(f"no cable to a namespace: {made.stderr.decode().strip()}")
        for argv in (("addr", "add", f"{self._near}/30", "dev", near), ("link", "set", near, "up")):
            subprocess.run(["ip", *argv], check=True)
        self.come_back()
        self._inside("ip", "link", "set", self._cable, "up")
        self._inside("ip", "link", "set", "lo", "up")

    def _serve(self) -> None:
        files = self._files
        config = files.folder / "far_sshd_config"
        text = files.openssh_config.read_text().replace("127.0.0.1", self._far).replace(str(files.pid_file), "none")  # fmt: skip
        config.write_text(text)
        for path in (files.known_hosts, files.client_config):
            path.write_text(path.read_text().replace("127.0.0.1", self._far))
        sshd = openssh_server()
        assert sshd
        argv = [sshd, "-D", "-f", str(config), "-E", str(files.log) + ".far"]
        self._server = subprocess.Popen(["nsenter", "-t", str(self._holder.pid), "-n", "--", *argv])

    def _inside(self, *argv: str) -> None:
        subprocess.run(["nsenter", "-t", str(self._holder.pid), "-n", "--", *argv], check=True)

    def stop(self) -> None:
        """End it; the cable goes with the namespace."""
        for process in (self._server, self._holder):
            if process is not None:
                process.terminate()
                process.wait()
        if self._holder.stdout:
            self._holder.stdout.close()
