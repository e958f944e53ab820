"""The plan's words for k6: requests to send, or nothing where the file is a script of the user's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from toolkit.engines.k6.settings import K6Options, K6Request, K6Stage
from toolkit.plan.consistency import request_text
from toolkit.plan.shorthand import ONE_OR_SEVERAL, in_short

if TYPE_CHECKING:
    from collections.abc import Iterable

SCRIPTS = (".js", ".mjs", ".ts")
_VUS = 200


class SentRequest(BaseModel):
    """One kind of request; in short its text alone."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    request: Annotated[str, AfterValidator(request_text)] = Field(
        description="method and path, as in GET /api/hours"
    )
    name: str = Field("", max_length=200, description="as reports call it; default: method and path")
    headers: dict[str, str] = Field(default_factory=dict)
    body: Any = Field(None, description="a text, or what becomes JSON")
    weight: float = Field(1.0, gt=0, le=1_000_000, description="how often it is chosen, beside the others")
    expect: Annotated[list[Annotated[int, Field(ge=100, le=599)]], ONE_OR_SEVERAL] = Field(
        default_factory=list, description="statuses that are right, one or several; default: whatever comes"
    )

    def as_given(self) -> K6Request:
        """As the engine takes it."""
        method, _, path = self.request.partition(" ")
        method, path = method.upper(), path.strip()
        headers, body = dict(self.headers), self.body
        if body is not None and not isinstance(body, str):
            body = json.dumps(body)
            if not any(name.lower() == "content-type" for name in headers):
                headers["Content-Type"] = "application/json"
        name = self.name or f"{method} {path.partition('?')[0]}"
        return K6Request(method, path, name, headers, body, self.weight, tuple(self.expect))


class K6Load(BaseModel):
    """How k6 sends requests of the plan; rate, duration and the like stand in load, as for any kind."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    requests: list[Annotated[SentRequest, in_short("request")]] = Field(
        default_factory=list, description="chosen by their weights; without any the file is a script for k6"
    )
    vus: int = Field(_VUS, gt=0, le=100_000, description="requests under way at once, at most")

    def options(self, stages: Iterable[K6Stage]) -> K6Options:
        """As the engine takes it."""
        return K6Options(tuple(one.as_given() for one in self.requests), tuple(stages), self.vus)
