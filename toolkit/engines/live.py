"""Follows the growing part files of a running load, for the progress display."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RATE_WINDOW_NS = 5_000_000_000
LATENCY_WINDOW_NS = 10_000_000_000
MOST_BYTES = 16 << 20
# The generator runs on this machine and wants its cores: ten times cheaper than to read each line as JSON. A quote inside a
# JSON string has a backslash before it, so that no name of the service can look like this.
_ROW = re.compile(
    rb',"start_ns":(\d+),"first_byte_ns":(?:\d+|null),"end_ns":(\d+),"status":(\d+|null),"error":(null|"(?:[^"\\]|\\.)*"),'
    rb'("accepted":true,)?'
)


@dataclass(frozen=True)
class LiveCounts:
    """What a load has done so far. A request counts as failed where it has an error, or a status of 400 or more that the user's
    file does not accept.
    """

    requests: int = 0
    failed: int = 0
    per_s: float = 0.0
    """Requests that ended in the last 5 s, per second."""
    p95_ms: float | None = None
    """Of the requests that ended in the last 10 s, from their actual start; None where there was none."""
    codes: dict[str, int] = field(default_factory=dict)
    """Status ("200", "0" for websocket operations), or the error where there is no status."""


@dataclass
class _Second:
    """What ended within one second."""

    ends: list[int] = field(default_factory=list)
    latencies: list[int] = field(default_factory=list)
    _sorted: list[int] = field(default_factory=list)

    def by_latency(self) -> list[int]:
        """All latencies, the longest last; sorted once, not with each look."""
        if len(self._sorted) != len(self.latencies):
            self._sorted = sorted(self.latencies)
        return self._sorted

    def since(self, at_ns: int) -> list[int]:
        """The latencies of what ended at `at_ns` or later, the longest last."""
        return sorted(
            latency for latency, end_ns in zip(self.latencies, self.ends, strict=True) if end_ns >= at_ns
        )


class LiveTail:
    """Reads what the parts have grown by since the last look."""

    def __init__(
        self,
        parts: Path,
        clock_ns: Callable[[], int] = time.time_ns,
        on_block: Callable[[bytes], None] | None = None,
    ) -> None:
        self._parts = parts
        self._on_block = on_block
        self._clock_ns = clock_ns
        self._offsets: dict[Path, int] = {}
        self._requests = 0
        self._failed = 0
        self._codes: Counter[str] = Counter()
        self._recent: dict[int, _Second] = {}

    def poll(self) -> LiveCounts:
        """Take in the new lines; never raises (a file that is gone has been joined)."""
        for part in sorted(self._parts.glob("*.jsonl")) if self._parts.is_dir() else []:
            block = self._new_lines(part)
            self._take_block(block)
            if self._on_block is not None and block:
                self._on_block(block)
        now_ns = self._clock_ns()
        for second in [
            second for second in self._recent if (second + 1) * 10**9 <= now_ns - LATENCY_WINDOW_NS
        ]:
            del self._recent[second]
        return LiveCounts(
            self._requests,
            self._failed,
            sum(map(len, self._within(now_ns - RATE_WINDOW_NS))) / (RATE_WINDOW_NS / 1e9),
            _p95(self._within(now_ns - LATENCY_WINDOW_NS)),
            dict(self._codes),
        )

    def _new_lines(self, part: Path) -> bytes:
        start = self._offsets.get(part, 0)
        try:
            with part.open("rb") as file:
                file.seek(start)
                data = file.read(MOST_BYTES)
        except OSError:
            return b""
        whole = data.rfind(b"\n") + 1
        self._offsets[part] = start + whole
        return data[:whole]

    def _take_block(self, block: bytes) -> None:
        rows = _ROW.findall(block)
        if len(rows) >= block.count(b"\n") - 1:  # all but the header
            for start_ns, end_ns, *_ in rows:
                self._time(int(start_ns), int(end_ns))
            # Few outcomes for many rows: each is read once.
            for (status, error, accepted), times in Counter(row[2:] for row in rows).items():
                failure = None if error == b"null" else str(json.loads(error))
                self._count(
                    None if status == b"null" else int(status), failure, times, accepted=bool(accepted)
                )
            return
        for line in block.splitlines():
            try:
                row: dict[str, Any] = json.loads(line)
                start_ns, end_ns, status, error = (
                    *(int(row["start_ns"]), int(row["end_ns"])),
                    *(row["status"], row["error"]),
                )
            except (ValueError, KeyError, TypeError):
                continue  # the header, or a line that a full disk has cut
            self._time(start_ns, end_ns)
            self._count(status, error, 1, accepted=bool(row.get("accepted")))

    def _time(self, start_ns: int, end_ns: int) -> None:
        second = self._recent.get(end_ns // 10**9)
        if second is None:
            second = self._recent[end_ns // 10**9] = _Second()
        second.ends.append(end_ns)
        second.latencies.append(end_ns - start_ns)

    def _count(self, status: int | None, error: str | None, times: int, *, accepted: bool) -> None:
        self._requests += times
        if error is not None or ((status or 0) >= 400 and not accepted):
            self._failed += times
        self._codes[str(status if status is not None else error)] += times

    def _within(self, since_ns: int) -> list[list[int]]:
        """The latencies of what ended since then, second by second; only the first second has to be looked through."""
        first = since_ns // 10**9
        return [
            rows.by_latency() if second > first else rows.since(since_ns)
            for second, rows in self._recent.items()
            if second >= first
        ]


def _p95(seconds: list[list[int]]) -> float | None:
    number = sum(map(len, seconds))
    if number == 0:
        return None
    above = number - min(number - 1, int(0.95 * number))
    longest = sorted(latency for rows in seconds for latency in rows[-above:])
    return longest[-above] / 1e6
