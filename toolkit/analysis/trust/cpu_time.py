"""The samples of the cpu view against the CPU time that the kernel counted: said wherever they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.analysis.database import has_table, rows
from toolkit.analysis.trust import limits
from toolkit.analysis.trust.findings import Finding, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

View = dict[str, Any]


def counted_s(connection: duckdb.DuckDBPyConnection, server: str) -> float | None:
    """CPU seconds of gunicorn's processes while the cpu view was recorded; None where nobody measured."""
    if not has_table(connection, "metrics"):
        return None
    found: float | None = rows(connection, "trust_cpu_seconds", {"server": server, "view": "cpu"})[0]["cpu_s"]
    return found


def cpu_counted(
    server: str, found: View, counted_s: float | None, cores_spare: float | None
) -> Iterator[Finding]:
    """The samples of the cpu view against what the kernel counted: a thread that waits for a core is sampled as if it had one.

    Args:
        server: its name.
        found: the view `cpu`.
        counted_s: CPU seconds of gunicorn's processes while it was recorded; None where nobody measured.
        cores_spare: of the host, on average; None where nobody measured.
    """
    if not found["shown"] or not counted_s:
        return
    sampled_s, rate = float(found["sampled_s"] or 0.0), float(found["rate_hz"] or 0.0)
    samples = int(found["samples"] or 0)
    if max(samples, counted_s * rate) < limits.CPU_SAMPLES_ENOUGH:
        return
    key, name = f"cpu_counted:{server}", f"CPU of the samples on {server}"
    value = f"{seconds(sampled_s)}; the kernel counted {seconds(counted_s)}"
    if limits.CPU_LESS * counted_s <= sampled_s <= limits.CPU_MORE * counted_s:
        yield Finding(key, name, value)
        return
    told = f"View cpu on {server}: its samples add up to {seconds(sampled_s)} of CPU, the kernel counted {seconds(counted_s)}"
    if sampled_s < counted_s:
        reason = f"{told}: threads were at work that were not seen at it, or ended between two samples."
        yield Finding(key, name, value, "warn", "too few", reason)
        return
    why = "threads that waited for a core count as if they had one"
    if cores_spare is not None and cores_spare < limits.CORES_SPARE:
        why += ", and the host had none to spare"
    reason = f"{told}: {why}. It shows who wanted the CPU, not who had it."
    yield Finding(key, name, value, "warn", "who wanted the CPU, not who had it", reason)
