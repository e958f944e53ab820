"""The stand-in cluster's API: discovery, objects, and exec, as the real kubectl asks for them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request
from flask_sock import Sock

from tests.cluster.executing import bridge
from tests.cluster.schemas import problem

if TYPE_CHECKING:
    from tests.cluster.server import StandInCluster

GROUPS = {
    "v1": ("ConfigMap", "Secret", "Service", "Pod", "Event"),
    "batch/v1": ("Job",),
    "networking.k8s.io/v1": ("NetworkPolicy",),
    "locust.io/v1": ("LocustTest",),
}
"""What the cluster has, the operator's kind with it."""


def app_of(cluster: StandInCluster) -> Flask:
    app = Flask("cluster")
    app.config["SOCK_SERVER_OPTIONS"] = {"subprotocols": ["v5.channel.k8s.io"], "ping_interval": None}
    app.before_request(lambda: cluster.asked.append(f"{request.method} {request.path}"))
    _discovery(app)
    _validation(app)
    _rights(app, cluster)
    _objects(app, cluster)
    _pods(app, cluster)
    return app


def _plural(kind: str) -> str:
    return "networkpolicies" if kind == "NetworkPolicy" else kind.lower() + "s"


def _api(group: str) -> str:
    return f"{group}/v1" if group else "v1"


def _kind(group: str, resource: str) -> str:
    return next(kind for kind in GROUPS[_api(group)] if _plural(kind) == resource)


def _status(code: int, reason: str, message: str) -> Response:
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": reason,
        "message": message,
        "code": code,
    }
    return Response(json.dumps(body), code, mimetype="application/json")


def _discovery(app: Flask) -> None:
    @app.get("/api")
    def core() -> dict[str, Any]:
        return {"kind": "APIVersions", "versions": ["v1"]}

    @app.get("/apis")
    def apis() -> dict[str, Any]:
        named = [one for one in GROUPS if "/" in one] + ["authorization.k8s.io/v1"]
        versions = {one.split("/")[0]: {"groupVersion": one, "version": "v1"} for one in named}
        groups = [
            {"name": name, "versions": [one], "preferredVersion": one} for name, one in versions.items()
        ]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}

    @app.get("/api/v1")
    @app.get("/apis/<group>/v1")
    def resources(group: str = "") -> dict[str, Any]:
        verbs = ["create", "delete", "get", "list", "patch"]
        listed = [
            {
                "name": _plural(kind),
                "singularName": kind.lower(),
                "kind": kind,
                "namespaced": True,
                "verbs": verbs,
            }
            for kind in GROUPS.get(_api(group), ())
        ]
        return {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": _api(group),
            "resources": listed,
        }


def _validation(app: Flask) -> None:
    """That the server itself looks at every field: kubectl then leaves it to us."""

    @app.get("/openapi/v3")
    def openapi() -> dict[str, Any]:
        paths = [("api/v1" if one == "v1" else f"apis/{one}") for one in GROUPS]
        return {"paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}"} for path in paths}}

    @app.get("/openapi/v3/<path:path>")
    def openapi_of(path: str) -> dict[str, Any]:
        api = path.removeprefix("apis/").removeprefix("api/")
        group, _, version = api.rpartition("/")
        validates = {"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}
        patches = {
            f"/{path}/{_plural(kind)}": {
                "patch": {
                    "parameters": [validates],
                    "responses": {},
                    "x-kubernetes-group-version-kind": {"group": group, "version": version, "kind": kind},
                }
            }
            for kind in GROUPS[api]
        }
        return {"openapi": "3.0.0", "info": {"title": "stand-in", "version": "1"}, "paths": patches}


def _rights(app: Flask, cluster: StandInCluster) -> None:
    @app.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
    def may() -> dict[str, Any]:
        # kubectl sends this one as protobuf: an envelope, in it the review, its spec, what is asked.
        review = _fields(request.get_data().removeprefix(b"k8s\x00"))[2]
        words = {number: text.decode() for number, text in _fields(_fields(_fields(review)[2])[1]).items()}
        name = words[5] + (f"/{words[6]}" if words.get(6) else "")
        allowed = (words[2], name) not in cluster.forbidden
        return {
            "kind": "SelfSubjectAccessReview",
            "apiVersion": "authorization.k8s.io/v1",
            "status": {"allowed": allowed},
        }


def _fields(message: bytes) -> dict[int, bytes]:
    """The fields of a protobuf message that are texts or messages, by their numbers."""
    found, at = {}, 0
    while at < len(message):
        tag, at = message[at], at + 1
        length, shift = 0, 0
        while True:
            length |= (message[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if not message[at - 1] & 0x80:
                break
        assert tag & 7 == 2, "no field of another kind is in it"
        found[tag >> 3], at = message[at : at + length], at + length
    return found


def _objects(app: Flask, cluster: StandInCluster) -> None:
    @app.get("/api/v1/namespaces/<namespace>/<resource>")
    @app.get("/apis/<group>/v1/namespaces/<namespace>/<resource>")
    def listed(namespace: str, resource: str, group: str = "") -> Any:
        kind = _kind(group, resource)
        wanted = dict(one.split("=") for one in request.args.get("labelSelector", "").split(",") if one)
        items = cluster.listed(kind, namespace, wanted)
        return {"kind": f"{kind}List", "apiVersion": _api(group), "metadata": {}, "items": items}

    @app.post("/api/v1/namespaces/<namespace>/<resource>")
    @app.post("/apis/<group>/v1/namespaces/<namespace>/<resource>")
    def created(namespace: str, resource: str, group: str = "") -> Any:
        kind, item = _kind(group, resource), request.get_json(force=True)
        name = item["metadata"]["name"]
        assert request.args.get("fieldValidation") == "Strict"
        if ("create", resource) in cluster.forbidden:
            return _status(403, "Forbidden", f'{resource} is forbidden: User "me" cannot create resource')
        if (kind, namespace, name) in cluster.objects:
            return _status(409, "AlreadyExists", f'{resource} "{name}" already exists')
        if wrong := problem(item, cluster.version):
            return _status(400, "BadRequest", f"strict decoding error: {wrong}")
        return cluster.create(namespace, item), 201

    @app.route("/api/v1/namespaces/<namespace>/<resource>/<name>", methods=["GET", "DELETE"])
    @app.route("/apis/<group>/v1/namespaces/<namespace>/<resource>/<name>", methods=["GET", "DELETE"])
    def one(namespace: str, resource: str, name: str, group: str = "") -> Any:
        kind = _kind(group, resource)
        cluster.refresh()
        found = cluster.objects.get((kind, namespace, name))
        if found is None:
            return _status(404, "NotFound", f'{resource} "{name}" not found')
        if request.method == "DELETE":
            cluster.delete(kind, namespace, name)
            return {"kind": "Status", "apiVersion": "v1", "status": "Success"}
        return found


def _pods(app: Flask, cluster: StandInCluster) -> None:
    @app.get("/api/v1/namespaces/<namespace>/pods/<name>/log")
    def log(namespace: str, name: str) -> Response:
        lines = cluster.containers[name].log.read_text().splitlines(keepends=True)
        return Response("".join(lines[-int(request.args.get("tailLines", 1000)) :]), mimetype="text/plain")

    @Sock(app).route("/api/v1/namespaces/<namespace>/pods/<name>/exec")  # type: ignore[untyped-decorator]
    def execute(connection: Any, namespace: str, name: str) -> None:
        process = cluster.containers[name].execute(request.args.getlist("command"))
        cluster.lines.append(process)
        bridge(connection, process)
