"""Hosts that lend their CPU to a load: looked at before it starts, lent what each process needs, left as they were."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from toolkit.engines.locust_python import find_locust
from toolkit.engines.registry import engine
from toolkit.errors import ToolkitError, UnreachableError, UsageError
from toolkit.recording.places import carried
from toolkit.run.jobs import job_of
from toolkit.run.lent_process import LentProcess
from toolkit.run.logging_in import connect_options
from toolkit.transports.registry import open_transport

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.engines.base import Helper, Lent
    from toolkit.plan.locust import LocustWorkers
    from toolkit.plan.model import Plan, Scenario
    from toolkit.recording.layout import LoadFolder
    from toolkit.run.context import Run
    from toolkit.run.desk import Desk
    from toolkit.transports.base import Away

_LOOK_S = 30.0
_LEND_S = 120.0
_MARK = "toolkit-lent "
_LOOKED = "toolkit-look "


def lenders_of(plan: Plan) -> list[tuple[Scenario, LocustWorkers]]:
    """Each host that a scenario's workers run on, but this one."""
    scenarios = plan.load.scenarios if plan.load else []
    return [(one, host) for one in scenarios if one.locust for host in one.locust.away()]


def look(plan: Plan, scenario: Scenario, lender: LocustWorkers, host: Away) -> str:
    """What the doctor says of it.

    Raises:
        UsageError: Locust is missing there, or another than the master's.
        UnreachableError: it cannot be asked, or cannot reach the target.
    """
    target = next(iter(engine(scenario.engine).targets(job_of(plan, scenario))), "")
    parts = urlsplit(target)
    port = parts.port or (443 if parts.scheme in ("https", "wss") else 80)
    argv = [lender.python, "-", *([parts.hostname, str(port)] if parts.hostname else [])]
    script = (carried("loadtesting") / "lib" / "lent_look.py").read_bytes()
    done = host.run(argv, stdin=script, timeout_s=_LOOK_S)
    _, marked, said = done.stdout.decode("utf-8", "replace").rpartition(_LOOKED)
    if not marked:
        raise UsageError(
            f"{lender.python} on {host.address} does not run: {_last(done.stderr) or f'exit code {done.exit_code}'}.",
            "Name a Python there with python: in workers.",
        )
    found = json.loads(said.splitlines()[0])
    wanted = find_locust()[1]
    if found["locust"] != wanted:
        has = f"has Locust {found['locust']}" if found["locust"] else "has no Locust"
        raise UsageError(
            f"{found['python']} on {host.address} {has}; the master here is {wanted}.",
            f"Install locust=={wanted} there, or name the Python that has it with python: in workers.",
        )
    if found["target"]:
        raise UnreachableError(
            f"{host.address} cannot reach the target {parts.hostname}:{port}: {found['target']}.",
            "Name the service by an address that its workers reach.",
        )
    return f"Locust {wanted} ({found['python']}), reaches {parts.hostname}:{port}"


@dataclass
class Lending:
    """The hosts of one run, by their addresses in the plan."""

    hosts: dict[str, Away] = field(default_factory=dict)
    pythons: dict[str, str] = field(default_factory=dict)
    on_event: Callable[..., None] = lambda *_, **__: None
    processes: list[LentProcess] = field(default_factory=list)

    def start(self, helper: Helper, lent: Lent, folder: LoadFolder) -> LentProcess:
        """Lend what a process needs, open its tunnel, start it.

        Raises:
            UnreachableError: the host is gone, or allows no tunnel.
            ToolkitError: it has no room for what is lent.
        """
        host = self.hosts[lent.host]
        port = host.reverse(lent.port)
        there = _lend(host, lent)
        keeper = host.start([self.pythons[lent.host], f"{there}/lib/lent_worker.py", there])
        process = LentProcess(host, keeper, there, helper, lent, folder)
        self.processes.append(process)
        try:
            process.learn_clock()
            process.run(helper.argv, helper.env, lent, port)
        except ToolkitError:
            process.kill()
            raise
        offset_ns, error_ns = process.offset
        self.on_event("lent", worker=helper.name, offset_ns=offset_ns, offset_error_ns=error_ns)
        return process


def reach_lenders(run: Run) -> Lending:
    """Connect to every host that workers run on, and see that they can.

    Raises:
        ToolkitError: as `look` and the transport say; before any load.
    """
    lending = Lending(on_event=run.event)
    if lenders_of(run.plan):
        run.undo_with("look that workers left nothing", partial(_note_left, run, lending))
    for scenario, lender in lenders_of(run.plan):
        if lender.address not in lending.hosts:
            host = open_away(lender, run.desk)
            lending.hosts[lender.address] = host
            lending.pythons[lender.address] = lender.python
            run.undo_with(f"disconnect from {lender.address}", host.close)
        run.desk.observer.note(
            f"workers on {lender.address}: {look(run.plan, scenario, lender, lending.hosts[lender.address])}"
        )
    return lending


def _note_left(run: Run, lending: Lending) -> None:
    for process in lending.processes:
        if process.left_behind:
            run.missing(process.left_behind)


def open_away(lender: LocustWorkers, desk: Desk) -> Away:
    """Connect to one.

    Raises:
        UnreachableError, NotPermittedError: as the transport says.
    """
    return cast("Away", open_transport(lender.address, connect_options(lender, desk)))


def _lend(host: Away, lent: Lent) -> str:
    """The folder there."""
    script = (carried("loadtesting") / "lib" / "lend.sh").read_text(encoding="utf-8")
    done = host.run(["sh", "-c", script], stdin=_packed(lent), timeout_s=_LEND_S)
    _, marked, folder = done.stdout.decode("utf-8", "replace").rpartition(_MARK)
    if done.exit_code != 0 or not marked:
        raise ToolkitError(
            f"{host.address} could not be lent what a worker needs: {_last(done.stderr) or 'the shell there did not say why'}.",
            "Is there room in its TMPDIR or /tmp, and does it have tar?",
        )
    return folder.strip()


def _packed(lent: Lent) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name, path in lent.files:
            archive.add(path, name, recursive=False, filter=_nobodys)
    return data.getvalue()


def _nobodys(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Who owns it here is nobody's business there."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def _last(text: bytes) -> str:
    lines = [line.strip() for line in text.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else ""
