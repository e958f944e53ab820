"""Manifests to be applied by hand: the same pods as a run makes, but they wait for nobody."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from toolkit.engines.kubernetes.launching import as_pods
from toolkit.engines.kubernetes.manifests import manifests, operators
from toolkit.engines.locust import Locust
from toolkit.engines.locust_file import read_locustfile
from toolkit.engines.locust_python import find_locust
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.engines.base import LoadJob
    from toolkit.engines.kubernetes.manifests import Files
    from toolkit.recording.layout import LoadFolder

_LONGEST = 40
"""Of a name: its objects' and its pods' are longer, and 63 letters are the most."""


def to_apply(job: LoadJob, plan_name: str, folder: LoadFolder) -> Files:
    """A folder that `kubectl apply -k` takes; in it `operator/`, another, where Locust's operator can run the load.

    Raises:
        UsageError: Locust is missing; the locustfile is wrong, or too large.
    """
    engine = Locust()
    if mistakes := engine.check(job):
        raise UsageError(" ".join(mistakes))
    file, problem = read_locustfile(job.file)
    options = job.locust
    if file is None or options is None or options.kubernetes is None:
        raise UsageError(problem or f"{job.file}: nothing of it is made in a cluster.")
    shaped = file.shape is not None and not options.stages
    load = as_pods(
        *(job, options, options.kubernetes, _called(plan_name, job.name)),
        version=find_locust()[1],
        held=False,
        shaped=shaped,
        deadline_s=engine.launch(job, folder).deadline_s,
    )
    return (*manifests(load, job), *operators(load, job, options, shaped=shaped))


def _called(plan_name: str, scenario: str) -> str:
    words = [plan_name] if scenario == plan_name else [plan_name, scenario]
    plain = re.sub(r"[^a-z0-9]+", "-", "-".join(words).lower()).strip("-")
    return f"locust-{plain[:_LONGEST].rstrip('-')}"
