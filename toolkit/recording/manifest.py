"""`run.json`: what this run was, on which hosts, when, how it ended, what is missing and why."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from toolkit.errors import ToolkitError, UsageError
from toolkit.recording.files import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = 1

T = TypeVar("T")


@dataclass
class ServerEntry:
    """One server of the run. Times in nanoseconds; `offset_ns` is added to a server time to get controller time."""

    name: str
    address: str
    offset_ns: int = 0
    offset_error_ns: int = 0
    views: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Per view: `{"rate_hz": 9.8, "valid": true, "reason": ""}`; an invalid view must not be shown."""
    budget: dict[str, Any] = field(default_factory=dict)
    """As the agent tells it (PROTOCOL.md, `budget`): percentages of one core, all views together."""
    facts: dict[str, Any] = field(default_factory=dict)
    """As facts.json: python, gunicorn, worker class, workers, host."""
    breaks: list[dict[str, Any]] = field(default_factory=list)
    """Of the connection: `{"began_ns", "ended_ns", "silent_s", "attempts", "reason"}`; the server recorded on meanwhile. Without
    `ended_ns` where it was not mended."""
    access_format: str = ""
    """gunicorn's access_log_format as the plan tells it, for logs of which the agent could not learn it."""


@dataclass
class LoadEntry:
    """One scenario file of the run."""

    name: str
    file: str
    engine: str
    started_ns: int = 0
    ended_ns: int = 0
    exit_code: int | None = None
    problem: str = ""
    checks: list[dict[str, Any]] = field(default_factory=list)
    """The engine's own (Artillery's `ensure`): `{"check", "held", "words"}`."""


@dataclass
class Manifest:
    """The whole of run.json."""

    run_id: str
    plan_name: str
    command: str
    started_ns: int
    kind: str = "profile-and-load"
    """The command that made it: profile-and-load, profile or load."""
    target: str = ""
    commit: str = ""
    """Of the service that was deployed, as whoever made the run told it; empty where nobody did."""
    ended_ns: int = 0
    outcome: str = "running"
    """running, passed, failed, invalid, interrupted, check-failed."""
    exit_code: int | None = None
    reason: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    stages: list[dict[str, Any]] = field(default_factory=list)
    """`{"name", "started_ns", "ended_ns", "ok"}` in order."""
    servers: list[ServerEntry] = field(default_factory=list)
    loads: list[LoadEntry] = field(default_factory=list)
    checks: list[dict[str, Any]] | None = None
    """What had to hold, in order: `{"check", "name", "abort", "default"}`, and of one that stopped the load `"aborted"`:
    `{"value", "samples", "from_ns", "to_ns", "where"}`. None where a toolkit without checks made the run."""
    shape: dict[str, Any] = field(default_factory=dict)
    """The kind of load: `{"kind", "levels": [{"load", "phase", "role", "level", "unit", "planned_s"}]}`, and of a stress
    `"limits"`: `{"check", "name", "family", "abort", "limit"}` each, the one that broke with `"aborted"` as of checks; of a
    capacity `"cells"`: `{"load", "scenario", "clients", "repetitions", "replicas" (or null), "limit_s"}`. Empty without load."""
    missing: list[str] = field(default_factory=list)
    """One sentence for each thing that should be here and is not, with the reason."""
    schema: int = SCHEMA

    def save(self, path: Path) -> None:
        """Write run.json whole or not at all; in ASCII, for a path need not be valid UTF-8."""
        write_atomically(path, self.text())

    def text(self) -> str:
        """The content of run.json."""
        return json.dumps(asdict(self), indent=2) + "\n"


def load_manifest(path: Path) -> Manifest:
    """Read run.json; fields that a newer toolkit added are passed over.

    Raises:
        ToolkitError: no run.json, not JSON, or a schema this toolkit does not know.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(
            f"{path.parent} is not a run folder: it has no run.json.", "Name one under reports/."
        ) from None
    except (OSError, ValueError) as error:
        raise ToolkitError(f"{path} cannot be read: {error}.") from error
    if not isinstance(raw, dict) or raw.get("schema") != SCHEMA:
        found = raw.get("schema") if isinstance(raw, dict) else type(raw).__name__
        raise ToolkitError(
            f"{path} has schema {found!r}; this toolkit reads {SCHEMA}.", "Use the version that wrote it."
        )
    try:
        servers = [_known(ServerEntry, entry) for entry in raw.pop("servers", [])]
        loads = [_known(LoadEntry, entry) for entry in raw.pop("loads", [])]
        manifest = _known(Manifest, raw)
    except (TypeError, AttributeError):
        raise ToolkitError(f"{path} is not whole: fields that every run has are missing.") from None
    manifest.servers, manifest.loads = servers, loads
    return manifest


def _known(kind: type[T], entry: dict[str, Any]) -> T:
    fields = kind.__dataclass_fields__  # type: ignore[attr-defined]  # every kind here is a dataclass
    return kind(**{key: value for key, value in entry.items() if key in fields})
