"""What is at hand while tables are built."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from toolkit.analysis.database import query, read_parquet

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from toolkit.recording.layout import RunFolder
    from toolkit.recording.manifest import Manifest


@dataclass(frozen=True)
class Source:
    """What was read from one recorded file or folder."""

    source: str
    records: int = 0
    unreadable: int = 0
    implausible: int = 0
    problem: str = ""
    """One sentence; empty where it was whole."""
    damage: str = ""
    """`cut`: records are missing from its end; `changed`: it is not as it was when the run ended; else empty."""


@dataclass
class Building:
    """Tables being built: the database, a scratch folder, and where finished tables go."""

    run: RunFolder
    manifest: Manifest
    connection: duckdb.DuckDBPyConnection
    scratch: Path
    built: Path
    sources: list[Source] = field(default_factory=list)

    def write(self, table: str, parameters: dict[str, object] | None = None) -> None:
        """Run the query that is named like the table into its Parquet file, and make it a view for later queries."""
        path = self.built / f"{table}.parquet"
        self.connection.sql(query(table), params=parameters).write_parquet(str(path), compression="zstd")
        read_parquet(self.connection, table, path)

    def name_of(self, path: Path) -> str:
        """A file as the reader knows it: relative to the run folder."""
        return path.relative_to(self.run.path).as_posix()
