"""What a plan says of a cluster that lends its CPU to a load."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class KubernetesOptions:
    """Where pods are made, how many, and of what."""

    namespace: str
    context: str = ""
    """Of the user's kubectl configuration; empty: the manifests can be written, and not be applied by a run."""
    workers: int = 1
    image: str = ""
    """With Locust in it; empty: Locust's own, of the version that is installed here."""
    python: str = "python3"
    cpu: str = "1"
    """Asked for each worker; its limit is twice that where it is a number of cores."""
    memory: str = "512Mi"
    storage: str = "1Gi"
    """For the records of each pod until they are fetched."""
    user: int = 1000
    ready_s: float = 300.0
    """How long all pods together may take to run."""
    pull_secrets: tuple[str, ...] = ()
    node_selector: dict[str, str] = field(default_factory=dict)
