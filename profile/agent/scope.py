"""A transient scope of systemd's around the agent: whatever becomes of its own watch, systemd ends it and its recorders in time.

The agent ends itself at `max_s`. One that hangs (stopped by somebody, stuck in the kernel) does not, and what it started runs on.
systemd can take in a process that runs already (StartTransientUnit with `PIDs`, systemd.scope(5)); children follow, as they are
begun later. It sends SIGTERM to all of them when the time is over, and SIGKILL `KILL_AFTER_S` later.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
from typing import Optional

BOOTED = "/run/systemd/system"  # sd_booted(3): systemd runs this machine
_BUSCTL = ("/usr/bin/busctl", "/bin/busctl")
SLACK_S = 5.0  # after the agent's own limit, so that it ends itself where it can
KILL_AFTER_S = 5.0
_ANSWER_S = 10.0
_MANAGER = ("org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager")


class Scope:
    """Asks systemd for a scope. Never waits: `tick` gives one sentence once it has answered.

    Args:
        max_s: after which the agent ends itself.
        run: whose agent it is, for `systemctl status`.
    """

    def __init__(self, max_s: float, run: str) -> None:
        self.name = "toolkit-%d.scope" % os.getpid()
        self.limit_s = max_s + SLACK_S
        self._asked: Optional[subprocess.Popen[bytes]] = None
        self._until = time.monotonic() + _ANSWER_S
        command = self._command(run)
        if command is None:
            return
        with contextlib.suppress(OSError):  # a full disk is told by what needs it
            self._answer = tempfile.TemporaryFile()  # noqa: SIM115 (closed with this object)
            self._asked = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._answer
            )

    def _command(self, run: str) -> Optional[list[str]]:
        program = next((path for path in _BUSCTL if os.access(path, os.X_OK)), None)
        if program is None or not os.path.isdir(BOOTED):
            return None
        whose = []
        if os.geteuid() != 0:
            # A session without pam_systemd has no such variable, and yet the user's manager may run.
            folder = os.environ.get("XDG_RUNTIME_DIR") or "/run/user/%d" % os.geteuid()
            if not os.path.exists(os.path.join(folder, "bus")):
                return None
            whose = ["--user"]
            os.environ["XDG_RUNTIME_DIR"] = folder
        properties = [
            *("Description", "s", "toolkit's agent of the run %s" % run),
            *("PIDs", "au", "1", str(os.getpid())),
            *("RuntimeMaxUSec", "t", str(int(self.limit_s * 1e6))),
            *("TimeoutStopUSec", "t", str(int(KILL_AFTER_S * 1e6))),
            *("CollectMode", "s", "inactive-or-failed"),
        ]
        asked = [*_MANAGER, "StartTransientUnit", "ssa(sv)a(sa(sv))", self.name, "fail", "5"]
        return [program, *whose, "call", *asked, *properties, "0"]

    def tick(self) -> Optional[str]:
        """What has become of it, once: a sentence; None as long as there is nothing to say."""
        asked = self._asked
        if asked is None:
            return None
        code = asked.poll()
        if code is None and time.monotonic() < self._until:
            return None
        self._asked = None
        if code is None:
            asked.kill()
            asked.wait()
        with self._answer:
            self._answer.seek(0)
            words = " ".join(self._answer.read(500).decode("utf-8", "replace").split())
        if code == 0:
            return "systemd ends this agent and its recorders after %.0f s, whatever happens (%s)." % (
                self.limit_s,
                self.name,
            )
        return "systemd gave no scope, so that only the agent itself watches its time: %s" % (
            words or ("busctl ended with %d" % code if code else "no answer within %.0f s" % _ANSWER_S)
        )
