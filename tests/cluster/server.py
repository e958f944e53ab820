"""As much of a cluster as the real kubectl needs: what the manifests say is carried out by processes of this machine."""

from __future__ import annotations

import json
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

from werkzeug.serving import make_server

from tests.cluster.api import app_of
from tests.cluster.containers import Container, Network
from tests.cluster.operator import jobs_of, services_of

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

_INDEX = "batch.kubernetes.io/job-completion-index"


class StandInCluster:
    """One namespace's worth of a cluster. `hosts` are names that its DNS knows, all at its own loopback."""

    def __init__(self, folder: Path, *, version: str = "v1.37", hosts: tuple[str, ...] = ()) -> None:
        self.folder, self.version, self.hosts = folder, version, hosts
        self.network = Network()
        self.objects: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.containers: dict[str, Container] = {}
        self.forbidden: set[tuple[str, str]] = set()
        """(verb, resource) that the user may not."""
        self.refused_images: dict[str, str] = {}
        """Images that are not to be had, and the reason for which their pods wait."""
        self.asked: list[str] = []
        """Every request: METHOD path."""
        self.lines: list[subprocess.Popen[bytes]] = []
        """Each process that `exec` started, the newest last."""
        self._lock = threading.RLock()
        self._server = make_server("127.0.0.1", 0, app_of(self), threaded=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def kubeconfig(self, context: str) -> Path:
        """A configuration of kubectl's whose current context is another."""
        path = self.folder / "kubeconfig"
        here = {"cluster": {"server": f"http://127.0.0.1:{self._server.server_port}"}, "name": "here"}
        there = {"cluster": {"server": "http://127.0.0.1:1"}, "name": "elsewhere"}
        contexts = [
            {"name": context, "context": {"cluster": "here", "user": "me"}},
            {"name": "by-surprise", "context": {"cluster": "elsewhere", "user": "me"}},
        ]
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [here, there],
            "contexts": contexts,
            "users": [{"name": "me", "user": {}}],
            "current-context": "by-surprise",
        }
        path.write_text(json.dumps(config))
        return path

    def close(self) -> None:
        self._server.shutdown()
        for container in self.containers.values():
            container.stop(0)
        self.network.close()

    def get(self, kind: str, name: str) -> dict[str, Any]:
        return next(one for (kept, _, called), one in self.objects.items() if (kept, called) == (kind, name))

    def pods(self, component: str) -> list[str]:
        """Names of the pods there are."""
        self.refresh()
        label = "app.kubernetes.io/component"
        return sorted(
            name
            for (kind, _, name), one in self.objects.items()
            if kind == "Pod" and one["metadata"]["labels"].get(label) == component
        )

    def listed(self, kind: str, namespace: str, labels: dict[str, str]) -> list[dict[str, Any]]:
        """Those of a kind that have these labels."""
        self.refresh()
        with self._lock:
            return [
                one
                for (kept, where, _), one in self.objects.items()
                if (kept, where) == (kind, namespace)
                and labels.items() <= one["metadata"].get("labels", {}).items()
            ]

    def create(self, namespace: str, item: dict[str, Any]) -> dict[str, Any]:
        """Keep an object; of a Job make its pods."""
        meta = item["metadata"]
        meta.update(namespace=namespace, uid=str(uuid.uuid4()), creationTimestamp="2026-12-01T00:00:00Z")
        with self._lock:
            self.objects[item["kind"], namespace, meta["name"]] = item
        if item["kind"] == "Job":
            threading.Thread(target=self._make_pods, args=(namespace, item), daemon=True).start()
        if item["kind"] == "LocustTest":
            for made in (*services_of(item), *jobs_of(item)):
                self.create(namespace, made)
        return item

    def delete(self, kind: str, namespace: str, name: str) -> None:
        """And what it owns."""
        with self._lock:
            self.objects.pop((kind, namespace, name))
            owned = [
                called
                for (kept, _, called), one in self.objects.items()
                if kept == "Pod" and one["metadata"].get("ownedBy") == (kind, name)
            ]
        for pod in owned or ([name] if kind == "Pod" else []):
            threading.Thread(target=self._end_pod, args=(namespace, pod), daemon=True).start()

    def refresh(self) -> None:
        """The pods' status as it is now."""
        with self._lock:
            for name, container in self.containers.items():
                pods = [
                    one for (kind, _, called), one in self.objects.items() if (kind, called) == ("Pod", name)
                ]
                pod = pods[0] if pods else None
                code = container.exit_code()
                if pod is None or code is None:
                    continue
                ended = {"exitCode": code, "reason": "Completed" if code == 0 else "Error"}
                pod["status"] = {
                    "phase": "Failed" if code else "Succeeded",
                    "containerStatuses": [{"name": "locust", "state": {"terminated": ended}}],
                }

    def _make_pods(self, namespace: str, job: dict[str, Any]) -> None:
        spec = job["spec"]
        indexed = spec.get("completionMode") == "Indexed"
        time.sleep(0.3)  # as a scheduler takes its time
        for index in range(spec.get("completions", 1)):
            middle = f"-{index}" if indexed else ""
            name = f"{job['metadata']['name']}{middle}-{uuid.uuid4().hex[:5]}"
            template = json.loads(json.dumps(spec["template"]))
            annotations = {
                **template["metadata"].get("annotations", {}),
                **({_INDEX: str(index)} if indexed else {}),
            }
            pod = {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    **template["metadata"],
                    "annotations": annotations,
                    "name": name,
                    "ownedBy": ("Job", job["metadata"]["name"]),
                },
                "spec": template["spec"],
            }
            with self._lock:
                if ("Job", namespace, job["metadata"]["name"]) not in self.objects:
                    return
                self._start(namespace, pod)

    def _start(self, namespace: str, pod: dict[str, Any]) -> None:
        name, image = pod["metadata"]["name"], pod["spec"]["containers"][0]["image"]
        if image in self.refused_images:
            waiting = {"reason": self.refused_images[image], "message": f'Back-off pulling image "{image}"'}
            pod["status"] = {
                "phase": "Pending",
                "containerStatuses": [{"name": "locust", "state": {"waiting": waiting}}],
            }
            self.create(namespace, pod)
            return
        services = [called for kind, _, called in self.objects if kind == "Service"]
        hosts = "".join(f"127.0.0.1 {one}\n" for one in ("localhost", *self.hosts, *services))
        with self._lock:
            self.containers[name] = Container(
                pod,
                self.folder / "pods" / name,
                self.network,
                lambda kind, called: self.get(kind, called),
                hosts,
            )
            pod["status"] = {
                "phase": "Running",
                "containerStatuses": [{"name": "locust", "state": {"running": {}}}],
            }
            self.create(namespace, pod)

    def _end_pod(self, namespace: str, name: str) -> None:
        container = self.containers.get(name)
        if container is not None:
            container.stop(15)
        with self._lock:
            self.objects.pop(("Pod", namespace, name), None)
