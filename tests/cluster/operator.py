"""What Locust's operator makes of a `LocustTest`: as its objects.py and controller.py do at the commit that tests/data names."""

from __future__ import annotations

import shlex
from typing import Any

ENTRYPOINT = ["python3", "-m", "locust"]
"""Of Locust's image."""
_USER = 1000
_HOME = "/home/locust"


def jobs_of(test: dict[str, Any]) -> list[dict[str, Any]]:
    """The Jobs of the master and of the workers."""
    spec, name = test["spec"], test["metadata"]["name"]
    args = shlex.split(spec.get("args", ""))
    master = _job(f"{name}-master", spec, ["--master", *args], 1, spec["master"])
    worker = _job(
        f"{name}-worker",
        spec,
        ["--worker", "--master-host", f"{name}-master", *args],
        spec["workers"],
        spec["worker"],
    )
    return [master, worker]


def services_of(test: dict[str, Any]) -> list[dict[str, Any]]:
    """Those that it makes, by name alone."""
    name = test["metadata"]["name"]
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"{name}-{end}", "labels": {}}}
        for end in ("master", "webui")
    ]


def _job(
    name: str, spec: dict[str, Any], args: list[str], count: int, of_pod: dict[str, Any]
) -> dict[str, Any]:
    config = spec["locustfile"]["configMap"]["name"]
    container = {
        "name": "locust",
        "image": spec["image"],
        "command": ENTRYPOINT,
        "args": args,
        "env": spec.get("env", []),
        "workingDir": _HOME,
        "resources": of_pod["resources"],
        "volumeMounts": [{"name": "locustfile", "mountPath": _HOME, "readOnly": True}],
    }
    pod = {
        "restartPolicy": "Never",
        "containers": [container],
        "volumes": [{"name": "locustfile", "configMap": {"name": config}}],
        "securityContext": {"runAsUser": _USER},  # the image's own
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": {}},
        "spec": {"completions": count, "template": {"metadata": {"labels": {}}, "spec": pod}},
    }
