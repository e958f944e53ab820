"""Requests as they end, for the checks that are looked at while the load runs."""

from __future__ import annotations

import json
from bisect import bisect_left, insort
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit.checks.quantities.requests import PROTOCOLS
from toolkit.checks.quantity import EVENTS
from toolkit.checks.tags import fits

if TYPE_CHECKING:
    from toolkit.checks.check import Check
    from toolkit.checks.series import Sample

Row = dict[str, Any]
INTERRUPTED = "interrupted"
"""As the recorder says of a request under which the load was stopped: nothing that the service did."""


@dataclass
class Requests:
    """The values of one check's requests, in order of their end; old ones are let go."""

    check: Check
    samples: list[Sample] = field(default_factory=list)
    origin_ns: int | None = None
    """When the first of them started."""
    last_ns: int = 0

    def take(self, load: str, row: Row) -> None:
        """Keep the row's value, where the check means it. As `check_observed.sql` does for all rows afterwards."""
        value = _value(self.check, load, row)
        if value is None:
            return
        if self.origin_ns is None or row["start_ns"] < self.origin_ns:
            self.origin_ns = row["start_ns"]
        self.last_ns = max(self.last_ns, row["end_ns"])
        insort(self.samples, (row["end_ns"], value))

    def forget(self, before_ns: int) -> None:
        """Let go what no window needs any more."""
        del self.samples[: bisect_left(self.samples, (before_ns,))]


def rows_of(block: bytes) -> list[Row]:
    """The records in a block of whole lines; a header, or a line that was cut, is passed over."""
    found = []
    for line in block.splitlines():
        try:
            row = json.loads(line)
            if isinstance(row["start_ns"], int) and isinstance(row["end_ns"], int):
                found.append(row)
        except (ValueError, KeyError, TypeError):
            continue
    return found


def _value(check: Check, load: str, row: Row) -> float | None:
    protocols = PROTOCOLS[check.quantity.name.partition(".")[0]]
    if protocols and row.get("protocol") not in protocols:
        return None
    status, error = row.get("status"), row.get("error")
    if error == INTERRUPTED:
        return None
    code = "none" if status is None else str(status)
    happening = set(EVENTS) <= set(check.quantity.statistics)
    counts = True
    for tag, pattern in check.tags:
        if tag == "code" and happening:
            counts = fits(tag, pattern, [code])
        elif not fits(tag, pattern, [code] if tag == "code" else _named(tag, load, row)):
            return None
    if happening:
        return float(
            counts and _happened(check.quantity.measure, status, error, accepted=bool(row.get("accepted")))
        )
    return _measured(check.quantity.measure, row)


def _named(tag: str, load: str, row: Row) -> list[str]:
    if tag == "scenario":
        return [load, str(row.get("scenario") or "(unnamed)")]
    if tag == "name" and not row.get("name"):
        return [f"{row.get('method') or ''} {row.get('url') or ''}".strip() or "(unnamed)"]
    return [str(row.get(tag) or "")]


def _happened(measure: str, status: int | None, error: str | None, *, accepted: bool) -> bool:
    return {
        "errors": error is not None or ((status or 0) >= 400 and not accepted),
        "unanswered": status is None and error is not None,
        "failed_checks": status is not None and error is not None,
    }[measure]


def _measured(measure: str, row: Row) -> float | None:
    if measure == "ended":
        return 1.0
    if measure == "send_lag":
        intended = row.get("intended_ns")
        return None if intended is None else (row["start_ns"] - intended) / 1e6
    if row.get("status") is None or (
        measure in ("ack", "connect") and (row.get("method") == "CONNECT") != (measure == "connect")
    ):
        return None
    if measure == "bytes_in":
        return row.get("bytes_in")
    end = row.get("first_byte_ns") if measure == "first_byte" else row["end_ns"]
    return None if end is None else (end - row["start_ns"]) / 1e6
