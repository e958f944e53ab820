"""Whether an object is one by the published schemas: strictly, as an API server with fieldValidation=Strict would say."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastjsonschema
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Path(__file__).resolve().parents[1] / "data" / "kubernetes"
VERSIONS = ("v1.29", "v1.37")
_KINDS = {
    ("v1", "ConfigMap"): "io.k8s.api.core.v1.ConfigMap",
    ("v1", "Secret"): "io.k8s.api.core.v1.Secret",
    ("v1", "Service"): "io.k8s.api.core.v1.Service",
    ("batch/v1", "Job"): "io.k8s.api.batch.v1.Job",
    ("networking.k8s.io/v1", "NetworkPolicy"): "io.k8s.api.networking.v1.NetworkPolicy",
}


def problem(item: dict[str, Any], version: str) -> str:
    """What is wrong with it; empty where nothing is."""
    try:
        _check(version, str(item.get("apiVersion")), str(item.get("kind")))(item)
    except fastjsonschema.JsonSchemaException as error:
        return str(error)
    return ""


@lru_cache
def _check(version: str, api: str, kind: str) -> Callable[[dict[str, Any]], Any]:
    if (api, kind) == ("locust.io/v1", "LocustTest"):
        crd = YAML(typ="safe").load(DATA / "locusttest-crd.yaml")
        schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        schema["properties"].update(
            {"apiVersion": {}, "kind": {}, "metadata": {}}
        )  # which every resource has
        return _compiled(_strict(schema))
    definitions = json.loads((DATA / f"{version}.json").read_text())["$defs"]
    return _compiled({"$ref": f"#/$defs/{_KINDS[api, kind]}", "$defs": definitions})


def _compiled(schema: dict[str, Any]) -> Callable[[dict[str, Any]], Any]:
    made: Callable[[dict[str, Any]], Any] = fastjsonschema.compile(schema)
    return made


def _strict(schema: Any) -> Any:
    """Of a custom resource an API server drops, or with Strict refuses, what its schema does not name."""
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    made = {key: _strict(value) for key, value in schema.items()}
    if isinstance(made.get("properties"), dict) and made.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made
