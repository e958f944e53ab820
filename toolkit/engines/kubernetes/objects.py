"""The objects of a load in a cluster: a Job for the master, one for the workers, a Service and a NetworkPolicy for the master.

Jobs, since a pod that is lost must not be made again: its users would begin anew, and nobody would see it in the figures.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.engines.kubernetes.pod_files import GIVEN, RECORDER, VARIABLES, keys_of

if TYPE_CHECKING:
    from toolkit.engines.kubernetes.options import KubernetesOptions
    from toolkit.engines.kubernetes.pod_files import Lent

Object = dict[str, Any]

PORT = 5557
"""Locust's own, of a master."""
LIB, FILES, WORK = "/toolkit/lib", "/toolkit/files", "/toolkit/run"
"""Where pods find our part and the user's, and write."""
_SCRATCH = f"{WORK}/tmp"  # noqa: S108 - of the pod, and its own
CONTAINER = "locust"
INSTANCE, COMPONENT = "app.kubernetes.io/instance", "app.kubernetes.io/component"
_DAY_S = 86_400
_MASTER_CPU = "500m"


@dataclass(frozen=True)
class PodLoad:
    """One load as pods. `name` is what all its objects' names begin with."""

    name: str
    options: KubernetesOptions
    image: str
    held: bool
    """Whether the pods wait for the controller."""
    deadline_s: int
    master_argv: tuple[str, ...]
    worker_argv: tuple[str, ...]
    recorder: dict[str, Any]
    """What our recorder is told (locust_recorder/settings.py); `process` and `worker` are each pod's own."""
    ours: Lent
    theirs: Lent
    variables: tuple[str, ...]
    """Names of the Secret's entries."""

    def labels(self, component: str = "") -> dict[str, str]:
        """As Kubernetes recommends them."""
        own = {COMPONENT: component} if component else {}
        return {
            "app.kubernetes.io/name": "locust",
            "app.kubernetes.io/managed-by": "gunicorn-load-profile-toolkit",
            INSTANCE: self.name,
            **own,
        }

    def called(self, part: str) -> str:
        """The name of one object."""
        return f"{self.name}-{part}"


def master(load: PodLoad) -> Object:
    """The Job of the master."""
    return _job(load, "master", load.master_argv, {}, _MASTER_CPU)


def workers(load: PodLoad) -> Object:
    """The Job of the workers; its pods are numbered, and none is made again."""
    count = load.options.workers
    several = {
        "completionMode": "Indexed",
        "completions": count,
        "parallelism": count,
        "backoffLimitPerIndex": 0,
    }
    return _job(load, "worker", load.worker_argv, several, load.options.cpu)


def service(load: PodLoad) -> Object:
    """How workers find their master, before it is ready too."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": load.called("master"), "labels": load.labels("master")},
        "spec": {
            "selector": {INSTANCE: load.name, COMPONENT: "master"},
            "publishNotReadyAddresses": True,
            "ports": [{"name": "locust", "port": PORT, "targetPort": PORT, "protocol": "TCP"}],
        },
    }


def network_policy(load: PodLoad) -> Object:
    """Only workers of this load reach the master, where the cluster keeps such policies: Locust asks nobody who they are."""
    peers = {"matchLabels": {INSTANCE: load.name, COMPONENT: "worker"}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": load.called("master"), "labels": load.labels("master")},
        "spec": {
            "podSelector": {"matchLabels": {INSTANCE: load.name, COMPONENT: "master"}},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"podSelector": peers}], "ports": [{"protocol": "TCP", "port": PORT}]}],
        },
    }


def _job(load: PodLoad, component: str, argv: tuple[str, ...], more: Object, cpu: str) -> Object:
    labels = load.labels(component)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": load.called(component), "labels": labels},
        "spec": {
            **({} if more else {"backoffLimit": 0}),
            **more,
            "activeDeadlineSeconds": load.deadline_s,
            "ttlSecondsAfterFinished": _DAY_S,
            "template": {
                "metadata": {
                    "labels": labels,
                    # An autoscaler that tidies up must not move a pod in the middle of a load.
                    "annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
                },
                "spec": _pod(load, component, argv, cpu),
            },
        },
    }


def _pod(load: PodLoad, component: str, argv: tuple[str, ...], cpu: str) -> Object:
    options = load.options
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {INSTANCE: load.name, COMPONENT: component}},
    }
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 15,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": options.user,
            "runAsGroup": options.user,
            "fsGroup": options.user,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        **({"nodeSelector": dict(options.node_selector)} if options.node_selector else {}),
        **(
            {"imagePullSecrets": [{"name": one} for one in options.pull_secrets]}
            if options.pull_secrets
            else {}
        ),
        "topologySpreadConstraints": [spread],
        "containers": [_container(load, component, argv, cpu)],
        "volumes": [
            _config_map("lib", load.called(RECORDER), load.ours),
            _config_map("files", load.called(GIVEN), load.theirs),
            {"name": "run", "emptyDir": {"sizeLimit": options.storage}},
        ],
    }


def _container(load: PodLoad, component: str, argv: tuple[str, ...], cpu: str) -> Object:
    options = load.options
    shared = {"memory": options.memory, "ephemeral-storage": options.storage}
    who = {
        "process": "worker" if component == "worker" else "main",
        "held": load.held,
        "patience_s": options.ready_s,
    }
    given = {
        "TOOLKIT_POD": json.dumps(who),
        "TOOLKIT_RECORDER": json.dumps(load.recorder),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": _SCRATCH,
        "TMPDIR": _SCRATCH,
    }
    secret = {"envFrom": [{"secretRef": {"name": load.called(VARIABLES)}}]} if load.variables else {}
    ports = {"ports": [{"name": "locust", "containerPort": PORT}]} if component == "master" else {}
    return {
        "name": CONTAINER,
        "image": load.image,
        "command": [options.python, f"{LIB}/lent_pod.py", WORK],
        "args": [literal(word) for word in argv],
        "workingDir": FILES,
        "env": [{"name": name, "value": literal(value)} for name, value in given.items()],
        **secret,
        **ports,
        "resources": {
            "requests": {"cpu": cpu, **shared},
            "limits": {"cpu": doubled(cpu), **shared},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "lib", "mountPath": LIB, "readOnly": True},
            {"name": "files", "mountPath": FILES, "readOnly": True},
            {"name": "run", "mountPath": WORK},
        ],
    }


def _config_map(volume: str, name: str, lent: Lent) -> Object:
    items = [{"key": key, "path": path} for path, key in keys_of(lent).items()]
    return {"name": volume, "configMap": {"name": name, "items": items}}


def literal(text: str) -> str:
    """As it stands: Kubernetes would put a variable's value in the place of `$(NAME)`."""
    return text.replace("$(", "$$(")


def doubled(cpu: str) -> str:
    """Twice a quantity of CPU: `1` is `2`, `500m` is `1000m`."""
    number, unit = (cpu[:-1], "m") if cpu.endswith("m") else (cpu, "")
    return f"{float(number) * 2:g}{unit}"
