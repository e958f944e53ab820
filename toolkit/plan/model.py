"""The plan's shape. Every field is described here once; the JSON Schema and the README's table come from it.

Rules that no field keeps alone stand in rules.py: a validator of a whole model is not asked while one of its fields is wrong.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from toolkit.engines.registry import ENGINES
from toolkit.plan.asked import as_entry, checked_text
from toolkit.plan.cloud import Flags, cloud_options
from toolkit.plan.consistency import Consistency, request_text
from toolkit.plan.k6 import SCRIPTS, K6Load
from toolkit.plan.level import Kind, Level
from toolkit.plan.locust import LocustLoad
from toolkit.plan.names import scenario_name, server_name
from toolkit.plan.quantities import Duration, Percent, Size
from toolkit.plan.reaching import Ssh, server_address
from toolkit.plan.secrets import SecretReference

if TYPE_CHECKING:
    from toolkit.engines.cloud_options import CloudOptions

View = Literal["wall", "cpu", "gil"]
_UNIT = re.compile(r"[A-Za-z0-9:_.\\@-]{1,255}")  # systemd's own rule, as the agent asks for it
_COMMIT = r"^[A-Za-z0-9][A-Za-z0-9._/+-]{0,99}$"
_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"


def _target(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https", "ws", "wss"} or not parts.hostname:
        raise ValueError(f"{value!r} is no URL of a service; write http://host:port")
    return value.rstrip("/")


def _path(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError(f"{value!r} is no path of the target; write /path")
    return value


def _page(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{value!r} is no address to ask with GET; write http://host:port/path")
    return value


def _engine(value: str) -> str:
    if value not in ENGINES:
        raise ValueError(f"{value!r} is no engine; there are: {', '.join(ENGINES)}")
    return value


def _unit(value: str) -> str:
    if not _UNIT.fullmatch(value) or value.startswith("-"):
        raise ValueError(f"{value!r} is no name of a systemd unit; write shop.service")
    return value


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Gunicorn(_Part):
    """Which gunicorn on the server; empty where there is only one."""

    name: str | None = Field(None, description="its --name, as the process title shows it")
    pid: int | None = Field(None, gt=0, description="the arbiter's PID")
    pidfile: str | None = Field(None, description="a file on the server that holds the arbiter's PID")
    port: int | None = Field(None, gt=0, lt=65536, description="a TCP port it listens on")
    unit: str | None = Field(None, description="its systemd unit")

    def choice(self) -> dict[str, Any]:
        """What was chosen, as the agent takes it: one key, or none."""
        return self.model_dump(exclude_none=True)


class Logs(_Part):
    """Which logs of a server are followed, beside those of other servers."""

    find: bool = Field(
        True, description="gunicorn's and the application's own, by its settings and open files"
    )
    files: list[str] = Field(
        default_factory=list, description="more files on the server; * and ? stand for parts of names"
    )
    units: list[Annotated[str, AfterValidator(_unit)]] = Field(
        default_factory=list, description="units of the server's systemd journal"
    )
    access_format: str = Field(
        "",
        max_length=4000,
        description="gunicorn's access_log_format, where it cannot be learned from its arguments (setproctitle hides them)",
    )

    @model_validator(mode="before")
    @classmethod
    def _files_alone(cls, data: Any) -> Any:  # noqa: ANN401 - before validation it may be anything
        return {"files": data} if isinstance(data, list) else data


class Server(_Part):
    """One server that is profiled."""

    name: str = Field("", pattern=r"^$|" + _NAME, description="as reports call it; default: from the address")
    address: Annotated[str, AfterValidator(server_address)] = Field(
        description="ssh://[user@]host[:port], ssh://alias of the SSH configuration, or local:"
    )
    gunicorn: Gunicorn = Field(default_factory=Gunicorn)
    sudo: bool = Field(False, description="run the agent as root by sudo")
    sudo_password: SecretReference | None = Field(
        None, description="env:NAME, file:PATH or prompt:; default: sudo -n, then ask once"
    )
    python: str = Field("python3", description="the server's Python, 3.7 or newer")
    logs: Logs = Field(default_factory=Logs)
    ssh: Ssh = Field(default_factory=Ssh)

    @model_validator(mode="before")
    @classmethod
    def _named_by_address(cls, data: Any) -> Any:  # noqa: ANN401 - before validation it may be anything
        return {**data, "name": server_name(data)} if isinstance(data, dict) and server_name(data) else data


class Profile(_Part):
    """How the servers are recorded."""

    views: list[View] = Field(
        default_factory=lambda: list[View](["wall", "cpu"]),
        min_length=1,
        description="wall: every thread; cpu: threads on the CPU; gil: threads that hold the GIL",
    )
    budget: Percent = Field(5.0, gt=0, le=400, description="of one core of the server, all views together")
    rate: float | None = Field(None, gt=0, le=1000, description="samples a second; default: from the budget")
    chunk: Duration = Field(
        5.0,
        ge=1,
        le=60,
        description="resolution in time; coarser where starting recorders would eat the budget",
    )
    grace: Duration = Field(
        15.0, ge=3, le=600, description="how long the agent waits for a silent controller"
    )


class Watch(_Part):
    """What is watched on every server beside the stacks."""

    metrics: bool = Field(True, description="of the host, of gunicorn and of each worker")
    interval: Duration = Field(1.0, ge=0.2, le=60, description="between two samples of them")
    logs: bool = Field(True, description="follow the servers' logs during the run")
    log_limit: Size = Field(
        50_000_000,
        ge=100_000,
        le=2_000_000_000,
        description="bytes of logs that are fetched from one server; of several logs a quarter is kept for those that say little",
    )


class Send(_Part):
    """How the records of a file are sent, each once. In texts `{{ field }}` stands for a value of the record."""

    request: Annotated[str, AfterValidator(request_text)] = Field(
        description="method and path, as in POST /api/messages"
    )
    headers: dict[str, str] = Field(default_factory=dict, description="beside those that HTTP asks for")
    body: Any = Field(
        None,
        description="a text, or what becomes JSON; default: the record itself, where the method has a body",
    )
    order: Literal["in order", "shuffled"] = Field("in order", description="in which records are dealt out")
    processes: int = Field(2, ge=1, le=64, description="that send")
    connections: int = Field(8, ge=1, le=1000, description="of each process; one request at a time on each")
    rate: float | None = Field(
        None,
        gt=0,
        le=1_000_000,
        description="records a second, all processes together; default: as answers come",
    )
    timeout: Duration = Field(10.0, gt=0, le=3600, description="for an answer; then the record is unknown")

    def settings(self) -> dict[str, Any]:
        """As the engine takes it."""
        return {**self.model_dump(), "timeout": self.timeout}  # which a dump would write as 10s


class Scenario(_Part):
    """One scenario file that is driven."""

    name: str = Field("", pattern=r"^$|" + _NAME, description="as reports call it; default: the file's name")
    file: Path | None = Field(
        None,
        description="the engine's own file, relative to the plan; barrier, and k6 with requests, need none",
    )
    engine: Annotated[str, AfterValidator(_engine)] = Field(
        "artillery",
        description="artillery, artillery-cloud, locust, k6, sender, barrier or clients; default: locust for Python, "
        "k6 for JavaScript or with k6, artillery-cloud with fargate or azure, barrier with consistency, clients with call, test",
    )
    locust: LocustLoad | None = Field(None, description="how Locust runs the file; for a locustfile alone")
    fargate: Flags | None = Field(
        None,
        description="Artillery's own workers on AWS Fargate: options of artillery run:fargate, without dashes: count, region, …",
    )
    azure: Flags | None = Field(
        None, description="the same on Azure Container Instances: options of artillery run:aci"
    )
    k6: K6Load | None = Field(None, description="requests for k6, where the file is no script of your own")
    overrides: dict[str, Any] = Field(
        default_factory=dict, description="laid over the file (Artillery --overrides)"
    )
    variables: dict[str, Any] = Field(
        default_factory=dict,
        description="given to the file: Artillery --variables; to a locustfile, environment variables",
    )
    environment: str = Field("", description="one of the file's config.environments")
    ack_timeout: Duration = Field(
        10.0, gt=0, description="an acknowledgement or reply that takes longer is an error"
    )
    send: Send | None = Field(None, description="of the engine sender, whose file holds records")
    consistency: Consistency | None = Field(
        None, description="of the engine barrier: populate, act, verify whether the data stayed right"
    )
    call: str = Field(
        "",
        pattern=r"^$|^[A-Za-z_][A-Za-z0-9_]*$",
        description="of kind: capacity: a function in the file; one call is one repetition",
    )
    test: str | None = Field(
        None,
        description="of kind: capacity: tests in the file, as pytest selects them (test_shop or TestShop::test_buy); empty: all",
    )
    python: str = Field("", description="the Python that call or test needs; default: the toolkit's own")

    @model_validator(mode="before")
    @classmethod
    def _named_by_file(cls, data: Any) -> Any:  # noqa: ANN401 - before validation it may be anything
        if isinstance(data, (str, Path)):
            data = {"file": data}
        if not isinstance(data, dict):
            return data
        if data.get("call") or data.get("test") is not None:
            data = {"engine": "clients", **data}
        if str(data.get("file") or "").endswith(".py"):
            data = {"engine": "locust", **data}
        if data.get("fargate") is not None or data.get("azure") is not None:
            data = {"engine": "artillery-cloud", **data}
        if data.get("k6") is not None or str(data.get("file") or "").endswith(SCRIPTS):
            data = {"engine": "k6", **data}
        if data.get("consistency") is not None:
            data = {"engine": "barrier", **data}
        return {**data, "name": scenario_name(data)} if scenario_name(data) else data

    @property
    def cloud(self) -> CloudOptions | None:
        """Where Artillery's own workers play it; None: it is not played in a cloud."""
        given = {"fargate": self.fargate, "azure": self.azure}
        return next(
            (cloud_options(place, flags) for place, flags in given.items() if flags is not None), None
        )

    @property
    def apart(self) -> bool:
        """Whether its load is made where the target may be known by a name that is none here."""
        return self.cloud is not None or (self.locust is not None and self.locust.kubernetes is not None)


class Canary(_Part):
    """A small process beside the load that asks the service for one address at a steady pace, with GET.

    Where the load's answers are slow and the canary's are quick, the generator is what is slow.
    """

    off: bool = Field(False, description="send none")
    path: Annotated[str, AfterValidator(_path)] | None = Field(
        None,
        description="of the target; default: the first address that a scenario GETs as it stands, else the target itself",
    )
    url: Annotated[str, AfterValidator(_page)] | None = Field(None, description="elsewhere than the target")
    rate: float | None = Field(
        None, gt=0, le=100, description="requests a second; default: 20, fewer where an answer is dear"
    )

    @model_validator(mode="before")
    @classmethod
    def _in_a_word(cls, data: Any) -> Any:  # noqa: ANN401 - before validation it may be anything
        if isinstance(data, bool) or data in ("on", "off"):
            return {"off": data in (False, "off")}
        if isinstance(data, str):
            return {"path" if data.startswith("/") else "url": data}
        return data

    @model_validator(mode="after")
    def _one_address(self) -> Canary:
        if self.path and self.url:
            raise ValueError("name a path of the target or a url, not both")
        return self


class Load(Level):
    """The load."""

    order: Literal["parallel", "sequential"] = Field(
        "parallel", description="several files side by side, or one after another"
    )
    scenarios: list[Scenario] = Field(min_length=1)
    canary: Canary = Field(default_factory=Canary)
    resume: Path | None = Field(
        None, description="a run folder: only the records that it did not send are sent (--resume)"
    )


class AskedCheck(_Part):
    """What must hold, or the run ends with exit code 99; in short its text alone."""

    check: Annotated[str, AfterValidator(checked_text)] = Field(
        description="quantity.statistic{tag: value} < limit [over WINDOW], as in http.p95{phase: peak} < 400ms over 30s"
    )
    name: str = Field("", max_length=200, description="as reports call it; default: the check itself")
    abort: bool = Field(False, description="stop the load as soon as it does not hold in a window")

    @model_validator(mode="before")
    @classmethod
    def _text_alone(cls, data: Any) -> Any:  # noqa: ANN401 - before validation it may be anything
        return as_entry(data)


DefaultCheck = Literal["5xx", "socket", "records", "generator"]


class Plan(_Part):
    """A whole plan."""

    version: Literal[1] = 1
    name: str = Field(pattern=_NAME, description="stands in the run folder's name; default: the file's name")
    kind: Kind = Field(
        "load",
        description="load: for some time; stress: raised until a limit breaks; endurance (or soak): for hours; spike; smoke; "
        "capacity: so many clients that repeat a whole scenario so often",
    )
    target: Annotated[str, AfterValidator(_target)] = Field(
        "", description="URL of the service; default: what each scenario file says", validate_default=False
    )
    commit: str = Field(
        "",
        pattern=r"^$|" + _COMMIT,
        description="of the service that is deployed, for reports and comparisons",
    )
    servers: list[Server] = Field(default_factory=list)
    profile: Profile = Field(default_factory=Profile)
    watch: Watch = Field(default_factory=Watch)
    load: Load | None = None
    checks: list[AskedCheck] = Field(default_factory=list, description="what must hold; else exit code 99")
    default_checks: bool | list[DefaultCheck] = Field(
        True,
        description="no 5xx, no socket error, no invalid record, generator not the bottleneck: true, false, or those that "
        "are kept; a check of your own on the same quantity stands in the place of one",
    )
    reports: Path = Field(Path("reports"), description="where run folders go, relative to where you stand")
