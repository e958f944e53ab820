"""DuckDB, set up the same way everywhere: no network, little memory, named SQL from `queries/`."""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_QUERIES = Path(__file__).parent / "queries"
_MEMORY = "768MB"


@contextmanager
def connect(spill: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory; what does not fit is put into the folder `spill`."""
    config: dict[str, Any] = {
        "memory_limit": _MEMORY,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "preserve_insertion_order": False,
        "temp_directory": str(spill),
    }
    with duckdb.connect(":memory:", config=config) as connection:
        yield connection


@contextmanager
def plainly_named(folder: Path) -> Iterator[Path]:
    """Another path to `folder`, through a link: DuckDB takes `*`, `?` and `[` in a path for a pattern, and has no escape that
    always works; a run may be named with them."""
    with tempfile.TemporaryDirectory(prefix="toolkit.") as name:
        link = Path(name) / "run"
        link.symlink_to(folder.resolve(), target_is_directory=True)
        yield link


@cache
def query(name: str) -> str:
    """The text of `queries/<name>.sql`."""
    return (_QUERIES / f"{name}.sql").read_text(encoding="utf-8")


def rows(
    connection: duckdb.DuckDBPyConnection, name: str, parameters: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Run a named query; one dictionary a row, in the query's order."""
    cursor = connection.execute(query(name), parameters)
    columns = [column[0] for column in cursor.description or []]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def has_table(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether this table or view was made: a run need not have recorded everything."""
    return any(row["name"] == name for row in rows(connection, "known_tables"))


def write_json_lines(path: Path, objects: Iterable[Mapping[str, Any]]) -> None:
    """Write `objects` for DuckDB to read. Lone surrogates become `?`, as Parquet text is UTF-8."""
    with path.open("w", encoding="utf-8", errors="replace") as file:
        for row in objects:
            file.write(json.dumps(row, ensure_ascii=False))
            file.write("\n")


def json_table(
    connection: duckdb.DuckDBPyConnection, name: str, path: Path | list[Path], columns: Mapping[str, str]
) -> None:
    """Make the JSON lines in `path` the view `name`; a line that is no such object becomes a row of nulls."""
    connection.read_json(
        [str(one) for one in (path if isinstance(path, list) else [path])],  # type: ignore[arg-type]  # takes a list
        columns=dict(columns),
        format="newline_delimited",
        ignore_errors=True,
        filename=True,
    ).create_view(name)


def read_parquet(connection: duckdb.DuckDBPyConnection, name: str, path: Path) -> None:
    """Make the Parquet file the view `name`."""
    connection.read_parquet(str(path)).create_view(name)


def read_csv(
    connection: duckdb.DuckDBPyConnection, name: str, path: Path, columns: Mapping[str, str]
) -> None:
    """Make a headless file of comma-separated numbers the view `name`."""
    connection.read_csv(
        str(path), columns=dict(columns), header=False, auto_detect=False, sep=","
    ).create_view(name)
