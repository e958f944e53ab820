"""How a load is launched whose master and workers are pods."""

from __future__ import annotations

import hashlib
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.engines.base import Helper, Launch, Pods
from toolkit.engines.kubernetes.manifests import manifests, pod_load
from toolkit.engines.kubernetes.objects import LIB, WORK
from toolkit.engines.kubernetes.pod_files import VARIABLES
from toolkit.engines.locust_command import settings_of

if TYPE_CHECKING:
    from toolkit.engines.base import LoadJob
    from toolkit.engines.kubernetes.objects import PodLoad
    from toolkit.engines.kubernetes.options import KubernetesOptions
    from toolkit.engines.locust_options import LocustOptions
    from toolkit.recording.layout import LoadFolder

APPLIED = "kubernetes"
"""Folder of a load's folder: what was applied, but the values that may be secret."""
_GRACE_S = 120.0
"""From when the load should be over until the pods end whatever happens."""
_STAMP = re.compile(r"\d{8}T\d{6}Z")


def launch_in_pods(
    job: LoadJob, folder: LoadFolder, options: LocustOptions, where: KubernetesOptions, *,
    version: str, shaped: bool, planned_s: float, deadline_s: float,
) -> Launch:  # fmt: skip
    """Nothing runs here but kubectl."""
    name = name_of(folder)
    load = as_pods(
        job, options, where, name, version=version, held=True, shaped=shaped, deadline_s=deadline_s
    )
    count = where.workers
    start = (where.python, f"{LIB}/lent_pod.py", WORK)
    return Launch(
        argv=kubectl_argv(where, "create", "-k", str(folder.path / APPLIED)),
        env={},
        cwd=Path.cwd(),
        planned_s=planned_s,
        # What it takes until all pods run is waited for before.
        deadline_s=deadline_s + where.ready_s,
        sends_after=True,
        helpers=tuple(
            Helper(
                f"worker {number} of {count} in the cluster",
                (*start, *load.worker_argv),
                {},
                folder.helper_console(f"worker-{number}"),
            )
            for number in range(1, count + 1)
        ),
        pods=Pods(
            context=where.context,
            namespace=where.namespace,
            name=name,
            ready_s=where.ready_s,
            python=where.python,
            files=manifests(load, job),
            kept_apart=VARIABLES,
            applied=folder.path / APPLIED,
            target=job.target,
        ),
    )


def as_pods(
    job: LoadJob, options: LocustOptions, where: KubernetesOptions, name: str, *,
    version: str, held: bool, shaped: bool, deadline_s: float,
) -> PodLoad:  # fmt: skip
    """The load as pods, which end whatever happens when their time is over."""
    settings: dict[str, Any] = settings_of(options)
    lasts_s = deadline_s + where.ready_s + _GRACE_S
    return pod_load(
        job, options, where, name, settings, version=version, held=held, shaped=shaped, deadline_s=lasts_s
    )


def kubectl_argv(where: KubernetesOptions, *words: str) -> tuple[str, ...]:
    """Never the context or the namespace that happens to be current."""
    return ("kubectl", "--context", where.context, "--namespace", where.namespace, *words)


def name_of(folder: LoadFolder) -> str:
    """Of one load of one run, in a namespace that others use too: when the run began, and six letters of where it is kept."""
    where = folder.path.resolve()
    stamp = _STAMP.search(str(where))
    digest = hashlib.sha256(f"{socket.gethostname()}:{where}".encode()).hexdigest()[:6]
    return "-".join(["locust", *([stamp[0].lower()] if stamp else []), digest])
