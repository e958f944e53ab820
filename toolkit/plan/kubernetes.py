"""The plan's words for a cluster in which Locust's master and workers run."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from toolkit.engines.kubernetes.options import KubernetesOptions
from toolkit.plan.quantities import Duration

_LABEL = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(m|k|Ki|M|Mi|G|Gi|T|Ti)?")
_DEFAULT = KubernetesOptions(namespace="")


def _quantity(value: object) -> str:
    """As Kubernetes writes them; a number alone may be given as one."""
    text = str(value)
    found = _QUANTITY.fullmatch(text)
    if found is None or float(found[1]) == 0:
        raise ValueError(f"{text!r} is no quantity of Kubernetes; write 500m, 2, 512Mi or 1Gi")
    return text


Quantity = Annotated[int | float | str, AfterValidator(_quantity)]


class KubernetesLoad(BaseModel):
    """Locust's master and workers as pods."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    context: str = Field(
        "",
        description="of your kubectl configuration; a run takes no other, whatever is current there, and needs one",
    )
    namespace: str = Field(pattern=_LABEL, description="in which the pods are made; it must be there")
    workers: int = Field(1, ge=1, le=100, description="pods that make the users; one keeps one core busy")
    image: str = Field(
        "",
        description="with Locust and what else the locustfile needs installed; default: locustio/locust of the version here",
    )
    python: str = Field(_DEFAULT.python, min_length=1, description="of the image: its Python that has Locust")
    cpu: Quantity = Field(_DEFAULT.cpu, description="asked for each worker; twice that is its limit")
    memory: Quantity = Field(_DEFAULT.memory, description="of each pod, asked for and its limit")
    storage: Quantity = Field(
        _DEFAULT.storage, description="of each pod, for its records until they are fetched"
    )
    user: int = Field(
        _DEFAULT.user, ge=1, lt=2**31, description="number of the user that they run as, no root"
    )
    ready: Duration = Field(
        _DEFAULT.ready_s, ge=5, le=3600, description="how long it may take until all pods run"
    )
    pull_secrets: list[Annotated[str, Field(pattern=r"^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$")]] = Field(
        default_factory=list, description="names of the namespace's secrets for the image's registry"
    )
    node_selector: dict[str, str] = Field(
        default_factory=dict, description="labels of the nodes that the pods may run on"
    )

    def options(self) -> KubernetesOptions:
        """As the engine takes it."""
        return KubernetesOptions(
            namespace=self.namespace,
            context=self.context,
            workers=self.workers,
            image=self.image,
            python=self.python,
            cpu=str(self.cpu),
            memory=str(self.memory),
            storage=str(self.storage),
            user=self.user,
            ready_s=self.ready,
            pull_secrets=tuple(self.pull_secrets),
            node_selector=dict(self.node_selector),
        )
