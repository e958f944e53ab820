"""Writes `servers/<name>/logs` for tests: what an agent would have read when, given as blocks.

logs = ServerLogs(builder.run, "app")                  # beside RunFolderBuilder.server("app", {})
error = logs.source("/var/log/shop/error.log", role="error")
logs.block(error, 1.0, "[…] [INFO] Booting worker with pid: 701\n")   # read 1 s after the run's start, by the server's clock
logs.rotated(error, 2.0)
logs.block(error, 2.5, b"\xff\n")

Everything is on disk as soon as it is said; times are those of the server.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.run_folders import SECOND_NS, START_NS

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.recording.layout import RunFolder


@dataclass
class _Written:
    """How far one source is."""

    file: Path
    position: int = 0
    generation: int = 0
    offset: int = 0


@dataclass
class ServerLogs:
    """The logs of one server of a run."""

    run: RunFolder
    server: str
    _sources: list[dict[str, Any]] = field(default_factory=list)
    _written: list[_Written] = field(default_factory=list)

    def source(
        self,
        path: str = "/var/log/shop/error.log",
        *,
        role: str | None = None,
        format: str | None = None,  # noqa: A002 - the field's name
        kind: str = "file",
        start_s: float | None = 0.0,
        **fields: Any,
    ) -> int:
        """Add a source, followed since `start_s` (None: no `start` line); its number. `fields` replace others of sources.json."""
        number = len(self._sources)
        plain = re.sub(r"[^A-Za-z0-9._-]+", "_", path).strip("_.").removesuffix(".log") or "log"
        said = {
            "source": number,
            "kind": kind,
            "path": path,
            "file": f"{number}-{plain[-80:]}.log",
            "found": "named in the plan",
            "role": role,
            "format": format,
            "note": None,
            **fields,
        }
        self._sources.append(said)
        folder = self.run.server(self.server)
        folder.logs.mkdir(parents=True, exist_ok=True)
        folder.log_sources.write_text(json.dumps(self._sources), encoding="utf-8")
        self._written.append(_Written(folder.logs / str(said["file"])))
        if start_s is not None:
            self.line(number, start_s, "start")
        return number

    def block(self, source: int, at_s: float, data: bytes | str, *, since_s: float | None = None) -> None:
        """What the agent read in one go, `at_s` seconds after the run's start; it was not there `since_s` (None: not said)."""
        raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
        written = self._written[source]
        with written.file.open("ab") as file:
            file.write(raw)
        since_ns = None if since_s is None else START_NS + round(since_s * SECOND_NS)
        self.line(source, at_s, "data", position=written.position, bytes=len(raw), since_ns=since_ns)
        written.position += len(raw)
        written.offset += len(raw)

    def rotated(self, source: int, at_s: float, what: str = "rotated") -> None:
        """The file was rotated (or `what`: truncated); what comes next is of the new one."""
        written = self._written[source]
        written.generation += 1
        written.offset = 0
        self.line(source, at_s, what)

    def dropped(self, source: int, at_s: float, size: int, what: str = "dropped") -> None:
        """`size` bytes were not fetched (or `what`: limit)."""
        self.line(source, at_s, what, bytes=size)
        self._written[source].offset += size

    def truncated(self, source: int, at_s: float, looked_s: float) -> None:
        """The file was cut to nothing; what was written since `looked_s` may be lost."""
        self.line(source, at_s, "dropped", since_ns=START_NS + round(looked_s * SECOND_NS))
        self.rotated(source, at_s, "truncated")

    def line(self, source: int, at_s: float, what: str, **fields: Any) -> None:
        """Any line of index.jsonl."""
        written = self._written[source]
        said = {
            "source": source,
            "t_ns": START_NS + round(at_s * SECOND_NS),
            "since_ns": None,
            "what": what,
            "position": None,
            "bytes": None,
            "generation": written.generation,
            "offset": written.offset,
            "note": None,
            **fields,
        }
        with self.run.server(self.server).log_index.open("a", encoding="utf-8") as file:
            file.write(json.dumps(said) + "\n")
