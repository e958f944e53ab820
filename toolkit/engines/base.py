"""What every engine can do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.engines.clients.settings import Clients
    from toolkit.engines.cloud_options import CloudOptions
    from toolkit.engines.k6.settings import K6Options
    from toolkit.engines.locust_options import LocustOptions
    from toolkit.recording.layout import LoadFolder


@dataclass(frozen=True)
class LoadJob:
    """One scenario file of a plan, ready to be driven."""

    name: str
    file: Path
    target: str
    """Overrides the file's own target; empty keeps it."""
    overrides: dict[str, Any] = field(default_factory=dict)
    """Merged over the scenario file's own content (`config.phases` to shorten a run, say)."""
    variables: dict[str, Any] = field(default_factory=dict)
    environment: str = ""
    """The name of one of the file's own `config.environments`."""
    ack_timeout_s: float = 10.0
    send: dict[str, Any] = field(default_factory=dict)
    """How the records of the file are sent, as the plan's `send:` has it; empty where it is no file of records."""
    resume: Path | None = None
    """The run folder that this one goes on from."""
    consistency: dict[str, Any] = field(default_factory=dict)
    """What to populate, do and verify, as the plan's `consistency:` has it; empty where the engine is another."""
    locust: LocustOptions | None = None
    """What the plan says of Locust; None where it says nothing."""
    k6: K6Options | None = None
    """What the plan says of k6; None where it says nothing."""
    cloud: CloudOptions | None = None
    """Where Artillery's own workers run in a cloud; None: it runs here."""
    clients: Clients | None = None
    """Of a plan of kind capacity: how many clients, and what each of them repeats."""


@dataclass(frozen=True)
class Lent:
    """Of a process on another host: what it is lent, and what it must reach here."""

    host: str
    """Its address, as the plan has it."""
    files: tuple[tuple[str, Path], ...]
    """(name in the folder there, file here)."""
    cwd: str
    """Where it runs: a folder in the folder there."""
    process: str
    """The name of its records' part."""
    port: int
    """Of this machine's loopback, that a tunnel leads to."""
    port_variable: str
    """The environment variable that tells it where the tunnel begins."""


@dataclass(frozen=True)
class Helper:
    """A process beside the engine's first: one that ends before it makes the numbers useless."""

    name: str
    """As people are told of it: "worker 1 of 2"."""
    argv: tuple[str, ...]
    env: dict[str, str]
    console: Path
    lent: Lent | None = None
    """None: it runs here."""


@dataclass(frozen=True)
class Pods:
    """Of a load whose processes are pods: the cluster, and what is applied there."""

    context: str
    namespace: str
    name: str
    """What the names of all its objects begin with, and the value of their label `app.kubernetes.io/instance`."""
    ready_s: float
    """How long it may take until all pods run."""
    python: str
    files: tuple[tuple[str, bytes | Path], ...]
    """A folder that `kubectl apply -k` takes: (path in it, content or where that lies)."""
    kept_apart: str
    """A folder of it whose files may hold secrets: they are applied and not kept."""
    applied: Path
    """Where the rest is kept."""
    target: str
    """What they must reach; empty where only the user's file knows."""


@dataclass(frozen=True)
class Launch:
    """How to start the engine."""

    argv: tuple[str, ...]
    env: dict[str, str]
    """To be laid over the controller's own environment."""
    cwd: Path
    planned_s: float
    """How long the phases last together, as planned; 0 where unknown."""
    deadline_s: float
    """After this the engine counts as hanging and is ended."""
    sends_after: bool = False
    """Whether it may send something after its last user has left."""
    stop_s: float = 5.0
    """How long it may take to end when it is asked to; then it is killed."""
    helpers: tuple[Helper, ...] = ()
    pods: Pods | None = None
    """Where all of it runs in a cluster: `argv` makes the pods, and each helper is one."""
    page: str = ""
    """Where a person can watch it while it runs; empty: nowhere."""


@dataclass(frozen=True)
class Ending:
    """How an engine process ended, in words: `outcome` is one of the manifest's outcomes."""

    outcome: str
    problem: str = ""
    checks: tuple[dict[str, Any], ...] = ()
    """What the engine checked by itself: `{"check": as written, "held", "words"}`."""
    out_of_time: bool = False
    """It reached its limit of time: what was to follow is not begun."""


class Engine(Protocol):
    """One load engine."""

    name: str
    check_input: str
    """How `check_argv` is given the file, in words."""

    def check(self, job: LoadJob) -> list[str]:
        """Every mistake in the scenario file, each with its place; empty where it is right. Starts nothing but a parser."""

    def check_argv(self) -> list[str]:
        """The program that `check` asks about each file, with its arguments.

        Raises:
            UsageError: it is missing.
        """

    def remarks(self, job: LoadJob) -> list[str]:
        """What runs but not as it reads, each with its place: worth a word, no reason to refuse the file."""

    def targets(self, job: LoadJob) -> list[str]:
        """Where the load goes: the target first, then every other address that the file names. Templates that are not
        known before the run stay in `{{ }}`; empty where nothing can be known.
        """

    def reads(self, job: LoadJob) -> list[str]:
        """Absolute URLs that the load GETs as they stand, without a header or a value of a user's own; empty where nothing is
        known before the run.
        """

    def launch(self, job: LoadJob, folder: LoadFolder) -> Launch:
        """The command for a job. Writes nothing outside `folder`.

        Raises:
            UsageError: Node or the engine is missing or too old; the file cannot be read.
        """

    def users_arrive(self, folder: LoadFolder) -> bool:
        """Whether the first phase has begun."""

    def users_left(self, folder: LoadFolder) -> bool:
        """Whether its last user has left, though it may still run; cheap enough to be asked ten times a second."""

    def ending(self, exit_code: int, folder: LoadFolder, stopped_by_us: bool) -> Ending:
        """What an exit code means, from the code and the files left behind."""

    def collect(self, folder: LoadFolder) -> None:
        """Join what the generator's workers wrote into `folder.requests`; crash-safe and repeatable."""

    def versions(self) -> dict[str, str]:
        """Of the engine and what it runs on, for run.json."""


class SaysNothingBefore:
    """What engines have in common of whose load nothing but the plan's target is known before it runs."""

    def remarks(self, job: LoadJob) -> list[str]:
        """Nothing runs otherwise than it reads."""
        del job
        return []

    def targets(self, job: LoadJob) -> list[str]:
        """The plan's."""
        return [job.target] if job.target else []

    def reads(self, job: LoadJob) -> list[str]:
        """Nothing is known before the run."""
        del job
        return []
