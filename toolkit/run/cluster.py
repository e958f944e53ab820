"""Loads whose master and workers are pods: made, waited for, driven, and taken away again, exactly what was made."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from toolkit.engines.kubernetes.objects import CONTAINER, INSTANCE
from toolkit.engines.locust_python import OLDEST
from toolkit.errors import NotPermittedError, ToolkitError, UnreachableError, UsageError
from toolkit.recording.places import carried
from toolkit.run.pod_process import PodProcess
from toolkit.run.pods import look_at
from toolkit.transports.kubectl import Kubectl, last_line

if TYPE_CHECKING:
    from toolkit.engines.base import Launch, Pods
    from toolkit.plan.kubernetes import KubernetesLoad
    from toolkit.plan.model import Plan, Scenario
    from toolkit.recording.layout import LoadFolder
    from toolkit.run.context import Run

_LOOK_EVERY_S = 1.0
_LOOK_S = 30.0
_GONE_S = 45.0
_LOOKED = "toolkit-look "
_RIGHTS = (
    *(("create", kind, "") for kind in ("jobs.batch", "services", "configmaps", "secrets")),
    ("create", "networkpolicies.networking.k8s.io", ""),
    *(("get", "pods", ""), ("create", "pods", "exec"), ("delete", "jobs.batch", "")),
)
_OBJECTS = "jobs,services,configmaps,secrets,networkpolicies"
_LINGER = "jobs,pods"
"""What may stay for a while after it was deleted. Secrets are not looked for: not everybody may list them."""


def clusters_of(plan: Plan) -> list[tuple[Scenario, KubernetesLoad]]:
    """Each scenario whose users are made in a cluster."""
    scenarios = plan.load.scenarios if plan.load else []
    return [(one, one.locust.kubernetes) for one in scenarios if one.locust and one.locust.kubernetes]


def place_of(where: KubernetesLoad) -> str:
    """Where pods would be made, for people who are asked about it.

    Raises:
        UsageError: the plan names no context, or kubectl knows no such.
    """
    kubectl = _kubectl(where)
    return f"pods in {kubectl.address} ({kubectl.server()})"


def look(where: KubernetesLoad) -> str:
    """What the doctor says of a cluster.

    Raises:
        UsageError: there is no kubectl or no such context.
        UnreachableError, NotPermittedError: the cluster cannot be asked, or does not allow what a load needs.
    """
    kubectl = _kubectl(where)
    kubectl.server()
    missing = [
        f"{verb} {kind}{'/' + more if more else ''}"
        for verb, kind, more in _RIGHTS
        if not kubectl.may(verb, kind, more)
    ]
    if missing:
        raise NotPermittedError(
            f"In {kubectl.address} you may not: {', '.join(missing)}.", "Ask whoever keeps the cluster."
        )
    return f"{kubectl.address}: pods may be made, talked to and deleted"


@dataclass
class _Made:
    """What of one load is in the cluster."""

    kubectl: Kubectl
    pods: Pods
    names: list[str] = field(default_factory=list)
    processes: list[PodProcess] = field(default_factory=list)


@dataclass
class Clusters:
    """The loads of one run that are pods."""

    run: Run
    made: list[_Made] = field(default_factory=list)

    def reach(self) -> None:
        """See that every cluster allows what is needed, before any load.

        Raises:
            ToolkitError: as `look`.
        """
        wanted = clusters_of(self.run.plan)
        for _, where in wanted:
            self.run.desk.observer.note(look(where))
        if wanted:
            self.run.undo_with("delete what was made in the cluster", self.delete)

    def start(self, launch: Launch, pods: Pods, folder: LoadFolder) -> tuple[PodProcess, list[PodProcess]]:
        """Make the pods, wait until all run, learn their clocks, and let Locust begin: (the master, the workers).

        Raises:
            ToolkitError: the cluster refused, or not all ran in time; what was made is deleted when the run is undone.
            InterruptedRunError: a signal came.
        """
        made = _Made(Kubectl(pods.context, pods.namespace), pods)
        self.made.append(made)
        self._create(made)
        names = ["main", *(f"worker-{number}" for number in range(1, len(launch.helpers) + 1))]
        running = self._wait(made, len(names))
        consoles = [folder.console, *(helper.console for helper in launch.helpers)]
        self._ask_first(made, running["worker-1"])
        for name, console in zip(names, consoles, strict=True):
            process = PodProcess(
                *(made.kubectl, running[name], pods.python, name, folder, console), self._note_break
            )
            made.processes.append(process)
        for name, process in zip(names, made.processes, strict=True):
            process.learn_clock()
            offset_ns, error_ns = process.offset
            self.run.event(
                "lent", worker=name, pod=process.pod, offset_ns=offset_ns, offset_error_ns=error_ns
            )
        for process in made.processes:
            process.begin()
        return made.processes[0], made.processes[1:]

    def delete(self) -> None:
        """Take away what was made, and see that it is gone.

        Raises:
            ToolkitError: something could not be deleted; says how to do it.
        """
        left = [self._deleted(made) for made in self.made if made.names]
        sentences = [sentence for sentence in left if sentence]
        for sentence in sentences:
            self.run.missing(sentence)

    def _create(self, made: _Made) -> None:
        """From a folder that is gone at once: it holds values that may be secret."""
        with tempfile.TemporaryDirectory(prefix="toolkit-") as temporary:
            folder = Path(temporary)
            _write(made.pods, folder)
            made.names, done = made.kubectl.create(folder)
            made.pods.applied.mkdir(parents=True, exist_ok=True)
            shutil.copytree(
                folder,
                made.pods.applied,
                dirs_exist_ok=True,
                ignore=shutil.ignore_patterns(made.pods.kept_apart),
            )
        self.run.event(
            "pods_made", name=made.pods.name, context=made.pods.context, namespace=made.pods.namespace
        )
        if done.exit_code != 0:
            raise made.kubectl.error(done, "did not take the manifests")

    def _wait(self, made: _Made, count: int) -> dict[str, str]:
        """Process → pod, once all run."""
        deadline, told = time.monotonic() + made.pods.ready_s, ""
        while True:
            seen = look_at(made.kubectl, made.pods.name)
            if len(seen.running) >= count:
                return seen.running
            waits = f"{len(seen.running)} of {count} pods run{'; ' if seen.waits else ''}{seen.waits}"
            if seen.hopeless:
                raise ToolkitError(
                    f"Not all pods ran: {seen.hopeless}.",
                    f"kubernetes/ in {made.pods.applied.parent} was applied.",
                )
            if time.monotonic() > deadline:
                raise UnreachableError(
                    f"Not all pods ran within {made.pods.ready_s:.0f} s: {waits}.",
                    "Is there room for them? ready: in kubernetes: waits longer.",
                )
            if waits != told:
                told = waits
                self.run.desk.observer.note(f"waiting: {waits}")
            until = time.monotonic() + _LOOK_EVERY_S
            while time.monotonic() < until:
                self.run.interrupts.check()
                time.sleep(0.05)

    def _ask_first(self, made: _Made, pod: str) -> None:
        """Whether the image has Locust, and the pods reach the target."""
        parts = urlsplit(made.pods.target)
        port = str(parts.port or (443 if parts.scheme in ("https", "wss") else 80))
        argv = [made.pods.python, "-", *([parts.hostname, port] if parts.hostname else [])]
        script = (carried("loadtesting") / "lib" / "lent_look.py").read_bytes()
        done = made.kubectl.run_in(pod, CONTAINER, argv, stdin=script, timeout_s=_LOOK_S)
        _, marked, said = done.stdout.decode("utf-8", "replace").rpartition(_LOOKED)
        if not marked:
            raise made.kubectl.error(done, f"did not let {made.pods.python} run in the pod {pod}")
        found = json.loads(said.splitlines()[0])
        if not found["locust"]:
            raise UsageError(
                f"{found['python']} of the pods' image has no Locust.",
                f"Name an image with Locust {'.'.join(map(str, OLDEST))} or newer, or its Python with python:.",
            )
        self.run.manifest.versions["locust in pods"] = found["locust"]
        if found["target"]:
            raise UnreachableError(
                f"The pods cannot reach the target {parts.hostname}:{port}: {found['target']}.",
                "Name the service by an address that the cluster knows, as http://service.namespace.svc:port.",
            )

    def _note_break(self, *, pod: str, silent_s: float) -> None:
        self.run.event("pod_line_broke", pod=pod, silent_s=silent_s)
        self.run.desk.observer.note(
            f"the line to the pod {pod} broke, and was made anew after {silent_s:g} s"
        )

    def _deleted(self, made: _Made) -> str:
        """What is left, in a sentence; empty where nothing is."""
        for process in made.processes:
            process.hang_up()
        label = f"{INSTANCE}={made.pods.name}"
        cure = f"kubectl --context {made.pods.context} --namespace {made.pods.namespace} delete {_OBJECTS} -l {label}"
        try:
            done = made.kubectl.delete(made.names)
            if done.exit_code != 0:
                return f"In {made.kubectl.address} {made.pods.name} could not be deleted ({last_line(done.stderr)}): {cure}"
            deadline = time.monotonic() + _GONE_S
            while time.monotonic() < deadline:
                if not made.kubectl.listed(_LINGER, label):
                    self.run.event("pods_deleted", name=made.pods.name)
                    return ""
                time.sleep(_LOOK_EVERY_S)
        except ToolkitError as error:
            return f"Whether {made.pods.name} is gone could not be seen: {error.message} {cure}"
        return f"In {made.kubectl.address} {made.pods.name} was deleted and is not gone yet after {_GONE_S:.0f} s: {cure}"


def _kubectl(where: KubernetesLoad) -> Kubectl:
    if not where.context:
        raise UsageError(
            "kubernetes: names no context: a run makes pods in none that merely happens to be current.",
            "`kubectl config get-contexts` shows them; write context: NAME.",
        )
    return Kubectl(where.context, where.namespace)


def _write(pods: Pods, folder: Path) -> None:
    for name, content in pods.files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
