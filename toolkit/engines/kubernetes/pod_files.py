"""What the pods are lent, as ConfigMaps hold it: small, flat, with keys of few letters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from toolkit.engines.locust_lending import recorder_files, users_files
from toolkit.recording.places import carried

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.engines.base import LoadJob
    from toolkit.engines.locust_options import LocustOptions

Lent = tuple[tuple[str, "Path"], ...]
"""(name as seen from its folder, file here)."""

RECORDER, GIVEN, VARIABLES = "recorder", "files", "variables"
"""Folders beside the manifests: what is ours, what is the user's, and the values that are kept apart as they may be secret."""
_MOST_BYTES = 1_000_000
"""A ConfigMap holds 1 MiB, with its keys and what else stands in it."""
_OURS = ("lent_growing.py", "lent_line.py", "lent_pod.py")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def recorder() -> Lent:
    """What keeps Locust in its pod, and starts it with our recorder in it."""
    own = carried("loadtesting") / "lib"
    files = [*(own / name for name in _OURS), *recorder_files()]
    return tuple((path.relative_to(own).as_posix(), path) for path in files)


def given(job: LoadJob, options: LocustOptions) -> Lent:
    """What is the user's."""
    return users_files(job.file, options.files)


def keys_of(lent: Lent) -> dict[str, str]:
    """Name → its key: letters, digits and - _ . alone, each another."""
    keys: dict[str, str] = {}
    for name, _ in lent:
        key = re.sub(r"[^-._a-zA-Z0-9]", "_", name.replace("/", "__"))
        while key in keys.values():
            key += "_"
        keys[name] = key
    return keys


def not_for_pods(job: LoadJob, options: LocustOptions) -> list[str]:
    """Why a cluster cannot be lent what a load needs, each in a sentence."""
    if options.kubernetes is None:
        return []
    mistakes = []
    size = sum(path.stat().st_size for _, path in given(job, options) if path.exists())
    if size > _MOST_BYTES:
        mistakes.append(
            f"{job.file}: with what it imports and files: it has {size:,} bytes, and a ConfigMap holds {_MOST_BYTES:,}: "
            "put large data into an image of your own."
        )
    wrong = [name for name in job.variables if not _VARIABLE.fullmatch(name)]
    mistakes += [
        f"{job.file}: {name!r} in variables is no name of an environment variable." for name in wrong
    ]
    return mistakes


def entries(folder: str, lent: Lent) -> list[tuple[str, Path]]:
    """As they lie beside the manifests: by their keys, for kustomize takes no path with a `=` in it."""
    keys = keys_of(lent)
    return [(f"{folder}/{keys[name]}", path) for name, path in lent]
