"""`baselines.json` beside the run folders: names for runs that others are compared with. It holds names and sums, no run.

`{"schema": 1, "baselines": {NAME: {"run": the folder's name, "started_ns", "commit", "sums": of what was recorded, "set_ns"}}}`
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError
from toolkit.recording.checksums import digest, is_recorded, present_files, sums_text
from toolkit.recording.files import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.recording.layout import RunFolder
    from toolkit.recording.manifest import Manifest

FILE = "baselines.json"
SCHEMA = 1


@dataclass(frozen=True)
class Baseline:
    """One name."""

    run: str
    started_ns: int
    commit: str
    sums: str
    """One sum over the sums of every recorded file."""
    set_ns: int


def recording_sum(run: RunFolder) -> str:
    """One sum over everything that was recorded; what is derived does not count."""
    sums = {name: digest(run.path / name) for name in present_files(run) if is_recorded(run, name)}
    return hashlib.sha256(sums_text(sums)).hexdigest()


def read_baselines(reports: Path) -> dict[str, Baseline]:
    """By name; empty where there is no file.

    Raises:
        ToolkitError: it cannot be read, or another toolkit wrote it.
    """
    path = reports / FILE
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw["schema"] != SCHEMA:
            raise ToolkitError(
                f"{path} has schema {raw['schema']!r}; this toolkit reads {SCHEMA}.",
                "Use the version that wrote it.",
            )
        return {str(name): _baseline(row) for name, row in raw["baselines"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ToolkitError(
            f"{path} cannot be read as a list of baselines.", "Mend or remove it, and set them again."
        ) from None


def set_baseline(reports: Path, name: str, run: RunFolder, manifest: Manifest, now_ns: int) -> Baseline:
    """Name a run, and keep its sums; a name that there is already names this run from now on.

    Raises:
        ToolkitError: the list cannot be read or written, or the run not read.
    """
    known = read_baselines(reports)
    try:
        sums = recording_sum(run)
    except OSError as error:
        raise ToolkitError(f"{run.path} cannot be read: {error.strerror or error}.") from error
    made = Baseline(run.path.name, manifest.started_ns, manifest.commit, sums, now_ns)
    _write(reports, {**known, name: made})
    return made


def remove_baseline(reports: Path, name: str) -> None:
    """Forget a name; the run stays.

    Raises:
        ToolkitError: the list cannot be read or written.
    """
    _write(reports, {one: made for one, made in read_baselines(reports).items() if one != name})


def _baseline(row: dict[str, object]) -> Baseline:
    return Baseline(
        str(row["run"]),
        int(str(row["started_ns"])),
        str(row["commit"]),
        str(row["sums"]),
        int(str(row["set_ns"])),
    )


def _write(reports: Path, baselines: dict[str, Baseline]) -> None:
    raw = {"schema": SCHEMA, "baselines": {name: asdict(made) for name, made in sorted(baselines.items())}}
    try:
        write_atomically(reports / FILE, json.dumps(raw, indent=2) + "\n")
    except OSError as error:
        raise ToolkitError(f"{reports / FILE} cannot be written: {error.strerror or error}.") from error
