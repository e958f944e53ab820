"""What a run of the engine `barrier` records: what each client was told, and the service's state before and after.

    consistency/head.json          `ConsistencyHead`: what must hold, and how the tables are read
    consistency/actions.jsonl      `{"id", "values"}` of every action; whole before the first is released
    consistency/told-<process>.jsonl  `{"id", "start_ns", "status"}`, `{"id", "start_ns", "problem"}` where no answer came,
                                   `{"id", "unsent"}` where its connection was closed before the release
    consistency/before.json        `{"read_ns", "tables": {name: [row]}}`, after populate
    consistency/after.json         the same, after the actions

An action without a line in `told` is unknown: the service may have got it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit.errors import ToolkitError
from toolkit.recording.files import write_atomically
from toolkit.recording.jsonl import read_lines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA = 1


@dataclass(frozen=True)
class ConsistencyHead:
    """What a consistency run is of."""

    actions: int
    token: str
    """An action's id, which is its request's id too, is `<token>-<number>`."""
    seed: int
    processes: int
    invariants: list[str]
    services: dict[str, str] = field(default_factory=dict)
    """Table → the service that it is of."""
    keys: dict[str, str] = field(default_factory=dict)
    """Table → the field that tells its rows apart."""
    success: list[int] = field(default_factory=list)
    """Statuses that tell a client of success; empty: any of 200 to 299."""
    schema: int = SCHEMA

    def succeeded(self, status: int) -> bool:
        """Whether an answer of this status says that the action took place."""
        return status in self.success if self.success else 200 <= status <= 299


@dataclass
class Told:
    """Every action by what its client was told: `{"id", …values}`, and `status` or `problem`."""

    told: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    unknown: list[dict[str, Any]] = field(default_factory=list)
    unsent: int = 0
    starts_ns: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class ConsistencyFolder:
    """`load/<scenario>/consistency/`; missing where the engine is another."""

    path: Path

    @property
    def head(self) -> Path:
        """See `ConsistencyHead`."""
        return self.path / "head.json"

    @property
    def actions(self) -> Path:
        """Every action, before any is released."""
        return self.path / "actions.jsonl"

    @property
    def before(self) -> Path:
        """The state after populate."""
        return self.path / "before.json"

    @property
    def after(self) -> Path:
        """The state after the actions; missing where it could not be read."""
        return self.path / "after.json"

    def told(self, process: str) -> Path:
        """What the clients of one process were told."""
        return self.path / f"told-{process}.jsonl"

    def write_head(self, head: ConsistencyHead) -> None:
        """Write `head`."""
        write_atomically(self.head, json.dumps(asdict(head)))

    def read_head(self) -> ConsistencyHead:
        """Read it back.

        Raises:
            ToolkitError: it is missing, broken, or of a newer toolkit.
        """
        try:
            data = json.loads(self.head.read_bytes())
        except FileNotFoundError:
            raise ToolkitError("there is none: the run ended before its first action") from None
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            raise ToolkitError(f"{self.head.name} is of another version of the toolkit")
        return ConsistencyHead(**data)

    @staticmethod
    def write_state(path: Path, read_ns: int, tables: Mapping[str, list[dict[str, Any]]]) -> None:
        """Write a state; what JSON has no form for becomes text."""
        content = {"read_ns": read_ns, "tables": tables}
        write_atomically(
            path, json.dumps(content, ensure_ascii=False, default=str).encode("utf-8", "replace")
        )

    @staticmethod
    def read_state(path: Path) -> dict[str, list[dict[str, Any]]] | None:
        """The tables of a state; None where it was not read."""
        try:
            data = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        return {name: list(rows) for name, rows in data["tables"].items()}

    def read_told(self, head: ConsistencyHead) -> Told:
        """What became of every action."""
        said: dict[str, dict[str, Any]] = {}
        for path in sorted(self.path.glob("told-*.jsonl")):
            said.update((str(row.get("id")), row) for row in read_lines(path))
        found = Told()
        for action in read_lines(self.actions):
            line = said.get(str(action["id"]), {"problem": "its process ended before an answer came"})
            if line.get("unsent"):
                found.unsent += 1
                continue
            if "start_ns" in line:
                found.starts_ns.append(int(line["start_ns"]))
            row = {**action["values"], "id": action["id"]}
            if line.get("status") is None:
                found.unknown.append({**row, "problem": str(line.get("problem"))})
            elif head.succeeded(int(line["status"])):
                found.told.append({**row, "status": line["status"]})
            else:
                found.refused.append({**row, "status": line["status"]})
        return found
