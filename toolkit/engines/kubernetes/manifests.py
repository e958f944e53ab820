"""The files of a folder that `kubectl apply -k` takes."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import SingleQuotedScalarString

from toolkit.engines.kubernetes import objects
from toolkit.engines.kubernetes.operator import SHAPE_FILE, locust_test, shape_file
from toolkit.engines.kubernetes.pod_files import GIVEN, RECORDER, VARIABLES, entries, given, keys_of, recorder
from toolkit.engines.locust_command import of_choice, of_master, of_users

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from toolkit.engines.base import LoadJob
    from toolkit.engines.kubernetes.objects import Object, PodLoad
    from toolkit.engines.kubernetes.options import KubernetesOptions
    from toolkit.engines.kubernetes.pod_files import Lent
    from toolkit.engines.locust_options import LocustOptions

Files = tuple[tuple[str, "bytes | Path"], ...]
"""(path in the folder, its content or where that lies here)."""
OPERATOR = "operator"
"""A folder of its own: applied with the rest it would be the same load twice."""
_HOST = "LOCUST_HOST"
"""What Locust itself reads where no --host is given: an address may hold a password, and a command is for all to see."""
_IMAGE = "locustio/locust"
_WORDS, _SIGNS = ("y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"), tuple("+-.0123456789")


def pod_load(
    job: LoadJob, options: LocustOptions, where: KubernetesOptions, name: str, recorder_settings: dict[str, Any], *,
    version: str, held: bool, shaped: bool, deadline_s: float,
) -> PodLoad:  # fmt: skip
    """A load as pods."""
    start = ("-f", job.file.name, *options.arguments, *of_users(job, options, host=False))
    # Where it is told to write its statistics Locust prints none, and by hand they are all that there is.
    statistics = ("--json-file", f"{objects.WORK}/locust") if held else ()
    master = (*of_choice(options, shaped=shaped), "--only-summary", "--headless", *statistics)
    waits = of_master("*", objects.PORT, where.workers, round(where.ready_s))
    worker = ("--worker", "--headless", "--master-host", f"{name}-master", "--master-port", str(objects.PORT))
    return objects.PodLoad(
        name=name,
        options=where,
        image=where.image or f"{_IMAGE}:{version}",
        held=held,
        deadline_s=round(deadline_s),
        master_argv=(*start, *master, *options.classes, *waits),
        worker_argv=(*start, *worker, *options.classes),
        recorder=recorder_settings,
        ours=recorder(),
        theirs=given(job, options),
        variables=tuple(values_of(job)),
    )


def values_of(job: LoadJob) -> dict[str, str]:
    """Environment variables of the pods that may be secret: the plan's, and the target."""
    plain = {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in job.variables.items()
    }
    return {**plain, **({_HOST: job.target} if job.target else {})}


def manifests(load: PodLoad, job: LoadJob) -> Files:
    """Everything but the operator's."""
    made = {
        "master.yaml": objects.master(load),
        "workers.yaml": objects.workers(load),
        "service.yaml": objects.service(load),
        "network-policy.yaml": objects.network_policy(load),
    }
    maps = [(RECORDER, load.ours), (GIVEN, load.theirs)]
    values = values_of(job)
    kustomization = _kustomization(load, made, [_generated(load, part, lent) for part, lent in maps])
    if values:
        secret = [f"{VARIABLES}/{name}" for name in values]
        kustomization["secretGenerator"] = [{"name": load.called(VARIABLES), "files": secret}]
    return (
        ("kustomization.yaml", _yaml(kustomization)),
        *((name, _yaml(one)) for name, one in made.items()),
        *(entry for part, lent in maps for entry in entries(part, lent)),
        *((f"{VARIABLES}/{name}", value.encode()) for name, value in values.items()),
    )


def operators(load: PodLoad, job: LoadJob, options: LocustOptions, *, shaped: bool) -> Files:
    """The operator's, in a folder of their own; empty where it cannot hold the files: it knows no folders and few letters."""
    if any(name != key for name, key in keys_of(load.theirs).items()):
        return ()
    choice = (*of_users(job, options, host=False), *of_choice(options, shaped=shaped), *options.arguments)
    # No --headless: the operator asks Locust's page for its figures, and that stays until the LocustTest is deleted.
    argv = (*choice, "--autostart", "--expect-workers", str(load.options.workers), *options.classes)
    made = {"locusttest.yaml": locust_test(load, argv, values_of(job))}
    shape = ((SHAPE_FILE, shape_file(options.stages).encode()),) if options.stages else ()
    names = [name for name, _ in (*load.theirs, *shape)]
    generated = {"name": load.called("locusttest"), "files": names}
    files: Files = (
        ("kustomization.yaml", _yaml(_kustomization(load, made, [generated]))),
        *((name, _yaml(one)) for name, one in made.items()),
        *load.theirs,
        *shape,
    )
    return tuple((f"{OPERATOR}/{name}", content) for name, content in files)


def _generated(load: PodLoad, part: str, lent: Lent) -> Object:
    return {"name": load.called(part), "files": [f"{part}/{key}" for key in keys_of(lent).values()]}


def _kustomization(load: PodLoad, made: Iterable[str], config_maps: list[Object]) -> Object:
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": load.options.namespace,
        "resources": list(made),
        # Names without a hash of the content: they are this run's own.
        "generatorOptions": {"disableNameSuffixHash": True, "labels": load.labels()},
        "configMapGenerator": config_maps,
    }


def _yaml(content: Object) -> bytes:
    stream = io.BytesIO()
    writer = YAML()
    writer.default_flow_style = False
    writer.width = 4096
    writer.representer.ignore_aliases = lambda _: True  # people read them one by one
    writer.dump(_plain(content), stream)
    return stream.getvalue()


def _plain(value: Any) -> Any:  # noqa: ANN401 - of an object
    """With quotes where Kubernetes reads an older YAML than ours: `n` is false there, `1:30` is 90."""
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, str) and (value.lower() in _WORDS or value[:1] in _SIGNS):
        return SingleQuotedScalarString(value)
    return value
