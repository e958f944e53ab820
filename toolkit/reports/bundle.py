"""One zip of a run, the same bytes for the same run folder."""

from __future__ import annotations

import logging
import shutil
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError
from toolkit.recording.checksums import present_files
from toolkit.recording.manifest import load_manifest
from toolkit.reports.checksums import mismatches

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.recording.layout import RunFolder

_PACKED = {".gz", ".parquet", ".zip"}
_OLDEST = (1980, 1, 1, 0, 0, 0)  # a zip knows no earlier time

_log = logging.getLogger(__name__)


def make_bundle(run: RunFolder, out: Path | None, say: Callable[[str], object] = _log.warning) -> Path:
    """Write the zip and return its path: `out`, or the folder's name with `.zip` beside it (or in `out`, a folder).

    `say` gets one sentence for each file that is not as SHA256SUMS says; the zip is written all the same, as it is then
    the evidence there is.

    Raises:
        ToolkitError: no run.json that this toolkit can read, or the zip could not be written.
    """
    manifest = load_manifest(run.manifest)
    for sentence in mismatches(run):
        say(sentence)
    name = f"{run.path.name}.zip"
    target = run.path.parent / name if out is None else out / name if out.is_dir() else out
    try:
        _write(run, target, _stamp(manifest.started_ns))
    except OSError as error:
        raise ToolkitError(f"{target} could not be written: {error.strerror or error}.") from error
    return target


def _write(run: RunFolder, target: Path, stamp: tuple[int, int, int, int, int, int]) -> None:
    inside = target.resolve().relative_to(run.path.resolve()).as_posix() if _is_inside(run, target) else ""
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
        temporary = Path(file.name)
        try:
            with zipfile.ZipFile(file, "w") as bundle:
                for name in present_files(run):
                    if name != inside:
                        _add(bundle, run, name, stamp)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def _add(
    bundle: zipfile.ZipFile, run: RunFolder, name: str, stamp: tuple[int, int, int, int, int, int]
) -> None:
    entry = zipfile.ZipInfo(f"{run.path.name}/{name}", stamp)
    entry.external_attr = 0o100644 << 16
    entry.compress_type = zipfile.ZIP_STORED if Path(name).suffix in _PACKED else zipfile.ZIP_DEFLATED
    path = run.path / name
    entry.file_size = path.stat().st_size  # lets zipfile choose the 64-bit form before it writes
    with path.open("rb") as source, bundle.open(entry, "w") as sink:
        shutil.copyfileobj(source, sink, 1 << 20)


def _is_inside(run: RunFolder, target: Path) -> bool:
    return target.resolve().is_relative_to(run.path.resolve())


def _stamp(started_ns: int) -> tuple[int, int, int, int, int, int]:
    try:
        at = datetime.fromtimestamp(started_ns // 1_000_000_000, UTC)
    except (OverflowError, OSError, ValueError):
        return _OLDEST
    if not _OLDEST[0] <= at.year <= 2107:
        return _OLDEST
    return (at.year, at.month, at.day, at.hour, at.minute, at.second)
