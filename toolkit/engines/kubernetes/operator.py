"""The same load as a `LocustTest` of Locust's own operator (github.com/locustio/k8s-operator). Its figures are Locust's."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from toolkit.engines.kubernetes.objects import doubled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from toolkit.engines.kubernetes.objects import Object, PodLoad
    from toolkit.engines.locust_options import Stage

SHAPE_FILE = "toolkit_stages.py"
_HOME = "/home/locust"
"""Where the operator puts the files of the ConfigMap, and where Locust's image runs."""


def locust_test(load: PodLoad, argv: tuple[str, ...], variables: Mapping[str, str]) -> Object:
    """The object. `argv` is what Locust takes beside -f; the operator adds --master and --worker."""
    options = load.options
    shared = {"memory": options.memory}
    files = [f"{_HOME}/{load.theirs[0][0]}"]
    if load.recorder["stages"]:
        files.append(f"{_HOME}/{SHAPE_FILE}")
    resources = {
        "requests": {"cpu": options.cpu, **shared},
        "limits": {"cpu": doubled(options.cpu), **shared},
    }
    return {
        "apiVersion": "locust.io/v1",
        "kind": "LocustTest",
        "metadata": {"name": load.name, "labels": load.labels()},
        "spec": {
            "image": load.image,
            "workers": options.workers,
            "args": shlex.join(["-f", ",".join(files), *argv]),
            **(
                {"env": [{"name": name, "value": value} for name, value in variables.items()]}
                if variables
                else {}
            ),
            **(
                {"imagePullSecrets": [{"name": one} for one in options.pull_secrets]}
                if options.pull_secrets
                else {}
            ),
            "master": {"resources": resources},
            "worker": {"resources": resources},
            "locustfile": {"configMap": {"name": load.called("locusttest")}},
        },
    }


def shape_file(stages: tuple[Stage, ...]) -> str:
    """The plan's stages as a shape of Locust's, for where our recorder is not."""
    rows = "".join(
        f"    ({one.duration_s!r}, {one.users!r}, {one.spawn_rate!r}),  # {one.name!r}\n" for one in stages
    )
    return (
        '"""So many users for so long, one stage after another: seconds, users, users a second that come or go."""\n\n'
        "from locust import LoadTestShape\n\n"
        f"STAGES = (\n{rows})\n\n\n"
        "class Stages(LoadTestShape):\n"
        "    def tick(self):\n"
        "        passed = self.get_run_time()\n"
        "        for duration, users, spawn_rate in STAGES:\n"
        "            passed -= duration\n"
        "            if passed < 0:\n"
        "                return users, spawn_rate\n"
        "        return None\n"
    )
