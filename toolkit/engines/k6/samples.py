"""k6's samples, nine lines of CSV for each request, as request records.

The time of a sample is the end of its request, in microseconds; values are milliseconds (`k6 run --out csv`, docs of k6 1.1).
"""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_FIRST, _LAST = b"http_reqs", b"http_req_failed"
_DURATION, _SENDING, _WAITING = b"http_req_duration", b"http_req_sending", b"http_req_waiting"
_TIMED = frozenset({_DURATION, _SENDING, _WAITING})
_COUNTED = frozenset({b"iterations", b"dropped_iterations", b"checks"})
_DONE = {
    1050: "ETIMEDOUT",
    1101: "ENOTFOUND",
    1210: "ECONNREFUSED",
    1211: "ETIMEDOUT",
    1212: "ECONNREFUSED",
    1213: "EHOSTUNREACH",
    1220: "ECONNRESET",
    1223: "EPIPE",
}
"""k6's codes (docs: error codes) that other engines have names for."""
_LONGEST, _LONGEST_URL = 300, 2000
_MOST_KINDS = 5000
_LOWEST_ERROR = 400
_USER_INFO = re.compile(r"://[^/?#@\s]*@")
_QUERY_VALUE = re.compile(r"([?&][^=&#\s]*)=[^&#\s]*")


class _Kind(NamedTuple):
    """What records with the same tags and phase have in common: cached, for there are few, and thousands of requests a second."""

    beginning: str
    answered: bool
    outcome: str


class Samples:
    """Takes lines, gives records as lines of JSON. What belongs to one request stands together.

    Args:
        scenario: the plan's name of it.
        phases: names, by the number that a generated script puts into each sample.
        urls: of the plan's requests, by name.
        expect: statuses that are right, by name of a request.
    """

    def __init__(
        self, scenario: str, phases: list[str], urls: dict[str, str], expect: dict[str, list[int]]
    ) -> None:
        self._scenario, self._phases, self._urls, self._expect = scenario, phases, urls, expect
        self._columns: list[str] = []
        self._kinds: dict[tuple[bytes, str], _Kind] = {}
        self._open: tuple[bytes, bytes, bytes] | None = None
        self._times: dict[bytes, float] = {}
        self.first_start_ns = 0
        """Of all records; 0 while there is none."""
        self.iterations = self.dropped = 0
        self.checks = self.failed_checks = 0

    def records(self, lines: Iterable[bytes]) -> Iterator[str]:
        """Those that are whole after these lines, each with its line end."""
        for line in lines:
            name = line.partition(b",")[0]
            if name in _TIMED:
                self._times[name] = _value(line)
            elif name == _FIRST:
                _, at, _, rest = line.split(b",", 3)
                self._open = (at, *rest.rpartition(b",")[::2])
                self._times = {}
            elif name == _LAST and self._open is not None:
                yield self._record(*self._open)
                self._open = None
            elif name in _COUNTED:
                self._count(name, _value(line))
            elif name == b"metric_name":
                self._columns = line.decode().strip().split(",")[3:-1]

    def _count(self, name: bytes, value: float) -> None:
        if name == b"iterations":
            self.iterations += int(value)
        elif name == b"dropped_iterations":
            self.dropped += int(value)
        else:
            self.checks += 1
            self.failed_checks += value == 0

    def _record(self, at: bytes, tags: bytes, metadata: bytes) -> str:
        end_ns = int(at) * 1000
        times = self._times
        start_ns = end_ns - round(times.get(_DURATION, 0.0) * 1e6)
        if not self.first_start_ns or start_ns < self.first_start_ns:
            self.first_start_ns = start_ns
        said = dict(
            pair.split("=", 1)
            for pair in metadata.decode("utf-8", "replace").strip().split("&")
            if "=" in pair
        )
        phase = said.get("phase", "")
        kind = self._kinds.get((tags, phase)) or self._kind(tags, phase)
        first = "null"
        if kind.answered:
            first = str(
                min(start_ns + round((times.get(_SENDING, 0.0) + times.get(_WAITING, 0.0)) * 1e6), end_ns)
            )
        rid = said.get("rid")
        return (
            f'{kind.beginning}{start_ns},"start_ns":{start_ns},"first_byte_ns":{first},"end_ns":{end_ns}{kind.outcome}'
            f'{"null" if rid is None else json.dumps(rid)},"user":{json.dumps("vu" + said.get("vu", ""))}}}\n'
        )

    def _kind(self, tags: bytes, phase: str) -> _Kind:
        text = tags.decode("utf-8", "replace")
        fields = next(csv.reader([text])) if '"' in text else text.split(",")
        told = dict(zip(self._columns, fields, strict=False))
        status = int(told.get("status") or 0) or None
        method, url = told.get("method", ""), told.get("url", "")
        name = _name(told.get("name", ""), method, url)
        own = told.get("scenario", "")
        beginning = {
            "protocol": "http",
            "scenario": self._scenario if own in ("default", "load", "") else own,
            "name": name,
            "method": method,
            "url": self._urls.get(name) or (safe_url(url) if "://" in url else None),
            "phase": self._phase(phase),
        }
        outcome = {
            "status": status,
            "error": self._error(told, status, name),
            **(
                {"accepted": True}
                if (status or 0) >= _LOWEST_ERROR and status in self._expect.get(name, [])
                else {}
            ),
            "bytes_in": None,
            "bytes_out": None,
        }
        if len(self._kinds) >= _MOST_KINDS:
            self._kinds.clear()
        kind = self._kinds[tags, phase] = _Kind(
            f'{json.dumps(beginning, separators=(",", ":"))[:-1]},"intended_ns":',
            status is not None,
            f',{json.dumps(outcome, separators=(",", ":"))[1:-1]},"request_id":',
        )
        return kind

    def _phase(self, number: str) -> str:
        if not self._phases or not number.lstrip("-").isdigit():
            return self._phases[0] if len(self._phases) == 1 else "1"
        return self._phases[int(number)]  # -1, past the last end: the last one

    def _error(self, told: dict[str, str], status: int | None, name: str) -> str | None:
        if status is None:
            code = int(told.get("error_code") or 0)
            return _DONE.get(code) or (told.get("error") or f"k6 error {code}")[:_LONGEST]
        expected = self._expect.get(name)
        if expected and status not in expected:
            return f"expected {' or '.join(map(str, expected))}, got {status}"
        return None


def _value(line: bytes) -> float:
    return float(line.split(b",", 3)[2])


def _name(name: str, method: str, url: str) -> str:
    """What the script calls it; k6 calls a request by its url, where nobody did, and its url by the name, where somebody did."""
    if name and "://" not in name:
        return name
    return f"{method} {urlsplit(url).path or '/'}"


def safe_url(url: str) -> str:
    """Without user-info, fragment and query values; the keys stay."""
    plain = _USER_INFO.sub("://", url.split("#", 1)[0])
    return _QUERY_VALUE.sub(r"\1=", plain)[:_LONGEST_URL]
