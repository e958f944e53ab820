"""The plan's words on consistency: populate, act, verify."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from toolkit.consistency.grammar import EXAMPLE, InvariantError, parse, resolved
from toolkit.consistency.invariant import BUILT_IN
from toolkit.plan.quantities import Duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.plan.places import Location

_TABLE = re.compile(r"[A-Za-z_]\w{0,39}")
_RESERVED = {*BUILT_IN, "before", "each", "within", "by", "count", "sum", "min", "max"}
KINDS = ("http", "sql", "python")


def request_text(value: str) -> str:
    """A request as a plan writes it: `POST /path`.

    Raises:
        ValueError: it is none.
    """
    if not re.fullmatch(r"[A-Za-z]+ +/[^\s]*", re.sub(r"\{\{[^{}]*\}\}", "x", value)):
        raise ValueError(f"{value!r} is no request; write POST /path")
    return value


def _function(value: str) -> str:
    path, _, name = value.rpartition(":")
    if not path.endswith(".py") or not name.isidentifier():
        raise ValueError(f"{value!r} names no function; write FILE.py:FUNCTION")
    return value


def _invariant(value: str) -> str:
    parse(value)  # InvariantError is a ValueError
    return value


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Populate(_Part):
    """One request that brings the service into a known state, sent before the actions."""

    request: Annotated[str, AfterValidator(request_text)] = Field(description="method and path")
    headers: dict[str, str] = Field(default_factory=dict)
    body: Any = Field(None, description="a text, or what becomes JSON")
    times: int = Field(
        1, ge=1, le=100_000, description="how often; {{ number }} counts from 1 in path, headers and body"
    )


class Range(_Part):
    """A whole number from the first to the last, both included."""

    first: int
    last: int

    @model_validator(mode="after")
    def _in_order(self) -> Range:
        if self.first > self.last:
            raise ValueError("first must not be above last")
        return self


class Act(_Part):
    """The actions that are released at the same instant."""

    request: Annotated[str, AfterValidator(request_text)] = Field(
        description="method and path; {{ id }} is the action's own id"
    )
    headers: dict[str, str] = Field(default_factory=dict)
    body: Any = Field(None, description="a text, or what becomes JSON; default: id and values")
    actions: int = Field(1000, ge=1, le=20_000, description="how many, each on a connection of its own")
    values: dict[str, Range | list[Any]] = Field(
        default_factory=dict,
        description="drawn for each action: {first: 1, last: 100}, or a list to choose from",
    )
    seed: int | None = Field(None, ge=0, le=2**32 - 1, description="of what is drawn; default: by chance")
    processes: int = Field(2, ge=1, le=32, description="that release them")
    success: list[int] = Field(
        default_factory=list, description="statuses that say it was done; default: 2xx"
    )
    timeout: Duration = Field(30.0, gt=0, le=600, description="for an answer; then the action is unknown")


class Read(_Part):
    """One table of the service's state: rows by HTTP, by SQL, or by a Python function."""

    http: Annotated[str, AfterValidator(request_text)] | None = Field(
        None, description="GET /path, answered with a JSON array of objects"
    )
    headers: dict[str, str] = Field(default_factory=dict, description="of the HTTP request")
    at: str = Field("", description="where in the answer the array is: data.rows; default: it is the answer")
    sql: str | None = Field(None, description="a SELECT; nothing it does is kept")
    database: str = Field("", description="SQLAlchemy's URL of the database, with sql")
    python: Annotated[str, AfterValidator(_function)] | None = Field(
        None, description="FILE.py:FUNCTION, called with the target, returns a list of dictionaries"
    )
    id_field: str = Field("id", min_length=1, description="the field that tells rows apart")
    service: str = Field("", max_length=60, description="as reports call it; default: the table's name")


class Verify(_Part):
    """What is read before and after the actions, and what must hold."""

    read: dict[str, Read] = Field(min_length=1, description="tables by name")
    invariants: list[Annotated[str, AfterValidator(_invariant)]] = Field(
        min_length=1, description=f"as in {EXAMPLE}; or: told within orders"
    )
    settle: Duration = Field(0.0, ge=0, le=600, description="wait between the last answer and reading")
    timeout: Duration = Field(30.0, gt=0, le=600, description="for each table")

    @model_validator(mode="before")
    @classmethod
    def _quotes_left_out(cls, data: Any) -> Any:  # noqa: ANN401 - before validation it may be anything
        if isinstance(data, dict) and isinstance(data.get("invariants"), list):
            return {**data, "invariants": [as_text(one) for one in data["invariants"]]}
        return data


class Consistency(_Part):
    """Whether a service's data stay right while many act at once."""

    populate: list[Populate] = Field(default_factory=list)
    act: Act
    verify: Verify

    def settings(self) -> dict[str, Any]:
        """As the engine takes it."""
        told = self.model_dump(exclude={"act": {"timeout"}, "verify": {"settle", "timeout"}})
        told["act"]["timeout"] = self.act.timeout  # a dump would write them as 10s
        told["verify"] |= {"settle": self.verify.settle, "timeout": self.verify.timeout}
        for name, table in told["verify"]["read"].items():
            table["service"] = table["service"] or name
        told["verify"]["fields"] = self._fields()
        return told

    def _fields(self) -> dict[str, list[str]]:
        """The fields of each table that an invariant names."""
        found: dict[str, set[str]] = {name: {table.id_field} for name, table in self.verify.read.items()}
        for text in self.verify.invariants:
            for table, name in parse(text).fields():
                if table in found:
                    found[table].add(name)
        return {name: sorted(fields) for name, fields in found.items()}


def as_text(data: Any) -> Any:  # noqa: ANN401 - any YAML value
    """`each items: stock >= 0` without quotes is a mapping to YAML: it is put together again."""
    if isinstance(data, dict) and len(data) == 1:
        ((key, value),) = data.items()
        return f"{key}: {value}"
    return data


def resolve_functions(data: Any, base: Path) -> None:  # noqa: ANN401 - any YAML value
    """Files of Python functions stand relative to the plan."""
    verify = data.get("verify") if isinstance(data, dict) else None
    read = verify.get("read") if isinstance(verify, dict) else None
    for table in read.values() if isinstance(read, dict) else []:
        if isinstance(table, dict) and isinstance(table.get("python"), str):
            path, colon, name = table["python"].rpartition(":")
            if colon and path:
                table["python"] = f"{(base / Path(path).expanduser()).absolute()}:{name}"


def broken_consistency_rules(place: Location, data: Any) -> Iterator[tuple[Location, str]]:  # noqa: ANN401 - any YAML value
    """What no field of a plan's consistency keeps alone."""
    verify = data.get("verify") if isinstance(data, dict) else None
    read = verify.get("read") if isinstance(verify, dict) else None
    if not isinstance(verify, dict) or not isinstance(read, dict):
        return
    for name, table in read.items():
        yield from _one_table((*place, "verify", "read", str(name)), str(name), table)
    invariants = verify.get("invariants")
    for index, one in enumerate(invariants if isinstance(invariants, list) else []):
        text = as_text(one)
        if problem := _names_nothing(text, [str(name) for name in read]):
            yield (*place, "verify", "invariants", index), problem
    yield from _drawn(place, data.get("act"))


def _one_table(place: Location, name: str, table: Any) -> Iterator[tuple[Location, str]]:  # noqa: ANN401 - any YAML value
    if not _TABLE.fullmatch(name) or name in _RESERVED:
        yield (
            place,
            f"{name!r} cannot be the name of a table: letters, digits and _, and no word of invariants",
        )
    if not isinstance(table, dict):
        return
    chosen = [kind for kind in KINDS if table.get(kind) is not None]
    if len(chosen) != 1:
        yield place, f"says how it is read in one of {', '.join(KINDS)}"
    if (table.get("sql") is None) != (not table.get("database")):
        yield place, "sql and database stand together"
    python = table.get("python")
    if isinstance(python, str) and python.rpartition(":")[0].endswith(".py"):
        path = Path(python.rpartition(":")[0])
        if not path.is_file():
            yield (*place, "python"), f"there is no file {path}"


def _names_nothing(text: Any, tables: list[str]) -> str:  # noqa: ANN401 - any YAML value
    """What is wrong with an invariant that can be read; what cannot be read its own field says."""
    try:
        if isinstance(text, str):
            parse(text)
            resolved(text, tables)
    except InvariantError as error:
        try:
            parse(text)
        except InvariantError:
            return ""
        return str(error)
    return ""


def _drawn(place: Location, act: Any) -> Iterator[tuple[Location, str]]:  # noqa: ANN401 - any YAML value
    values = act.get("values") if isinstance(act, dict) else None
    if not isinstance(values, dict):
        return
    for name, choice in values.items():
        if name in ("id", "status", "problem"):
            yield (*place, "act", "values", str(name)), f"{name} is the run's own; call it otherwise"
        if isinstance(choice, list) and not choice:
            yield (*place, "act", "values", str(name)), "is an empty list: there is nothing to choose from"
