"""The canary against the load: two ways to the same address, in the same seconds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from toolkit.analysis.database import rows
from toolkit.analysis.trust import limits

if TYPE_CHECKING:
    import duckdb

    from toolkit.analysis.trust.reading import Canary, Row

_PORTS = {"http": 80, "https": 443}


_MOST_DUE = 10_000


class Waited(NamedTuple):
    """A request that was due at `t_ns` (nanoseconds since 1970), and the milliseconds that it waited."""

    t_ns: int
    ms: float


@dataclass(frozen=True)
class Window:
    """Some seconds in which both asked the same address and got the same answer."""

    start_s: int
    end_s: int
    load_ms: float
    """Median, as the next."""
    canary_ms: float

    @property
    def excess_ms(self) -> float:
        """How much slower the load says that the service was."""
        return self.load_ms - self.canary_ms

    @property
    def slow(self) -> bool:
        """Whether that is too much to be chance."""
        return self.excess_ms > max(limits.EXCESS_MS, limits.EXCESS_SHARE * self.canary_ms)


@dataclass(frozen=True)
class Comparison:
    """All windows that can be compared; where there are none, why."""

    windows: list[Window]
    why_not: str = ""


def compare(connection: duckdb.DuckDBPyConnection, canary: Canary) -> Comparison:
    """Like with like: GET of the canary's address, answers of its most frequent status and about its size."""
    answered = [row for row in canary.requests if is_answer(row)]
    if not answered:
        return Comparison([], "the canary got no answer" if canary.url else "")
    status = Counter(row["status"] for row in answered).most_common(1)[0][0]
    alike = [row for row in answered if row["status"] == status]
    size = median(row.get("bytes") or 0 for row in alike)
    for window_s in limits.WINDOWS_S:
        asked = {"origins": _origins(canary.url), "path": _path(canary.url), "window_s": window_s}
        of_load = rows(connection, "trust_same_address", asked)
        if not of_load:
            return Comparison(
                [], "the load asks other addresses: name one that it asks too under load.canary"
            )
        same = [row for row in of_load if row["status"] == status and _same_size(row["bytes_in"], size)]
        if not same:
            return Comparison(
                [], "the load gets other answers from that address (another status, another size)"
            )
        windows = _windows(at_its_pace(alike, canary.per_s), same, window_s)
        if len(windows) >= limits.WINDOWS_LEAST:
            return Comparison(windows)
    return Comparison([], "too few requests of the load and the canary fall together")


def is_answer(row: Row) -> bool:
    """Whether a request of the canary was answered."""
    return row.get("status") is not None and not row.get("error")


def at_its_pace(requests: list[Row], per_s: float) -> list[Waited]:
    """What was waited at each moment at which a request was due.

    The canary asks one after another: while it waits for five seconds it leaves out a hundred requests. Each answer counting
    once, the service would look quick exactly while it hangs. So an answer counts for every request that was due while it was
    waited for.
    """
    every_ms = 1000 / per_s if per_s else 0.0
    found = []
    for row in requests:
        waited_ms = float(row["ms"])
        due = min(int(waited_ms / every_ms), _MOST_DUE) if every_ms else 0
        found += [Waited(row["t_ns"] + round(nth * every_ms * 1e6), waited_ms) for nth in range(due + 1)]
    return found


def _windows(alike: list[Waited], of_load: list[dict[str, Any]], window_s: int) -> list[Window]:
    by_window: dict[int, list[float]] = {}
    for one in alike:
        by_window.setdefault(one.t_ns // 10**9 // window_s, []).append(one.ms)
    found = []
    for row in of_load:
        mine = by_window.get(row["nth"], [])
        if len(mine) >= limits.WINDOW_LEAST_CANARY and row["requests"] >= limits.WINDOW_LEAST_LOAD:
            start_s = row["nth"] * window_s
            found.append(Window(start_s, start_s + window_s, float(row["p50_ms"]), median(mine)))
    return found


def _same_size(one: float | None, other: float) -> bool:
    if one is None:
        return False
    return abs(one - other) <= limits.SIZES_DIFFER * max(one, other)


def _origins(url: str) -> list[str]:
    """With the port and, where it is the scheme's own, without."""
    parts = urlsplit(url.lower())
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    usual = _PORTS.get(parts.scheme)
    port = parts.port or usual
    return [f"{parts.scheme}://{host}:{port}", *([f"{parts.scheme}://{host}"] if port == usual else [])]


def _path(url: str) -> str:
    return urlsplit(url).path or "/"


def per_second(canary: Canary) -> dict[int, tuple[float, float]]:
    """Epoch second → median and 95th percentile (ms) of what a request waited that was due in that second, answered or not."""
    by_second: dict[int, list[float]] = {}
    for one in at_its_pace(canary.requests, canary.per_s):
        by_second.setdefault(one.t_ns // 10**9, []).append(one.ms)
    return {second: (median(values), percentile(values, 95)) for second, values in by_second.items()}


def percentile(values: list[float], percent: int) -> float:
    """Linear between the two closest ranks; of one value that value."""
    return values[0] if len(values) == 1 else quantiles(values, n=100, method="inclusive")[percent - 1]
