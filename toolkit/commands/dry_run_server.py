"""What a run would do on one server: commands and paths from the definitions that the agent and its session use."""

from __future__ import annotations

import runpy
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.plan.quantities import format_size
from toolkit.probes.delivery_look import PREPARED
from toolkit.recording.places import carried
from toolkit.reports.terminal_text import printable
from toolkit.run.agent_opening import agent_command
from toolkit.transports.address import parse_address
from toolkit.transports.base import ConnectOptions
from toolkit.transports.client_config import find_ssh, ssh_argv

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.plan.model import Plan, Server
    from toolkit.recording.layout import RunFolder

_PUSHED = "<directory>"
_OF_ROOT = "<root directory>"


@dataclass(frozen=True)
class ServerSteps:
    """The steps on one server, before the load and after it."""

    plan: Plan
    server: Server
    folder: RunFolder

    def before(self) -> Iterator[str]:
        """Until the first samples are seen."""
        for step in (*self._arrive(), *self._find(), *self._watch(), *self._record()):
            yield f"{self.server.name}: {step}"

    def after(self) -> Iterator[str]:
        """Until nothing is left there."""
        into = self.folder.server(self.server.name).path
        ours = f"{_PUSHED} and {_OF_ROOT}" if self.server.sudo else _PUSHED
        yield f"{self.server.name}: stop py-spy (SIGINT), fetch what is left into {into}/"
        yield f"{self.server.name}: end the agent, which removes {ours}"
        yield f"{self.server.name}: look that {_PUSHED} is gone, else rm -rf -- {_PUSHED}"
        yield f"{self.server.name}: disconnect"

    @property
    def _work(self) -> str:
        """Where the agent works: a directory that a user may write is no place for what root executes."""
        return _OF_ROOT if self.server.sudo else _PUSHED

    def _arrive(self) -> Iterator[str]:
        server = self.server
        address = parse_address(server.address)
        if address.scheme == "ssh" and find_ssh() is not None:
            asked = shlex.join(ssh_argv(address, ConnectOptions(config_path=server.ssh.config)))
            yield f"what the SSH configuration says of it, and of each jump host: {asked}"
        yield f"connect to {server.address}"
        yield (
            f"sh < {carried('profile') / 'place.sh'}: look for {server.python}, machine, libc, psutil and sudo; "
            f"mktemp -d ${{TMPDIR:-/tmp}}/toolkit.XXXXXXXX (0700, {_PUSHED} below), where that cannot be used under /var/tmp "
            f"or in the home folder; where an administrator has prepared it, use {PREPARED} instead"
        )
        yield f"put agent.pyz, the py-spy wheel and (where it is missing) psutil's into {_PUSHED}/"
        yield shlex.join(agent_command(server.python, _PUSHED, sudo=server.sudo))
        if server.sudo:
            yield "where sudo wants a password: sudo -v to try it, then the same with it on standard input"
            yield (
                f"as root: mktemp -d /tmp/toolkit-agent.XXXXXXXX (0700, root's own, {_OF_ROOT} below); none where the "
                "login is root's"
            )
        yield f"unpack py-spy (and psutil) in {self._work}/, make {self._work}/recordings/ and {self._work}/running/"

    def _find(self) -> Iterator[str]:
        choice = self.server.gunicorn.choice()
        which = ", ".join(f"{key} {value}" for key, value in choice.items()) or "the only one there is"
        asked = f" (systemctl show -p MainPID -- {choice['unit']})" if "unit" in choice else ""
        yield f"find gunicorn in /proc: {which}{asked}"
        look = _agent("pyspy.py")["dump_command"](f"{self._work}/py-spy", "<PID>")
        yield f"see that py-spy may read it, for its arbiter and each worker: {shlex.join(look)}"

    def _watch(self) -> Iterator[str]:
        watch, into = self.plan.watch, self.folder.server(self.server.name)
        if watch.metrics:
            yield f"every {watch.interval:g} s: read /proc of the host, gunicorn and its workers, to {into.metrics}"
        if not watch.logs:
            return
        logs = self.server.logs
        found = ["those gunicorn and the application have open or are set to"] if logs.find else []
        # A step is one line, whatever stands in a file's name.
        which = [*found, *map(printable, logs.files), *(f"journalctl --unit={unit}" for unit in logs.units)]
        if which:
            limit = format_size(watch.log_limit)
            yield f"follow logs: {', '.join(which)}; at most {limit}, a quarter kept for those that say little, to {into.logs}/"

    def _record(self) -> Iterator[str]:
        profile = self.plan.profile
        rate = f"{profile.rate:g}" if profile.rate else f"<from {profile.budget:g} % of a core>"
        for view in profile.views:
            # The names are crew.py's; a test holds them against what runs.
            output = f"{self._work}/running/{view}-<seq>-<PID>-0.raw"
            command = _agent("pyspy.py")["record_command"](
                f"{self._work}/py-spy", "<PID>", view, rate, output
            )
            yield f"every {profile.chunk:g} s, for the arbiter and each worker: {shlex.join(command)}"
        yield "(where workers are many, one py-spy with --subprocesses on the arbiter in place of one for each)"
        into = self.folder.server(self.server.name)
        yield f"wait for the first samples; chunks go by {self._work}/recordings/ to {into.stacks}/, facts to {into.facts}"


def _agent(name: str) -> dict[str, Any]:
    """A module of the agent's; its files are executed by path, never imported."""
    return runpy.run_path(str(carried("profile") / "agent" / name))
