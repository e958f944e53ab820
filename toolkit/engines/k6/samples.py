"""k6's samples, nine lines of CSV for each request, as request records.

The time of a sample is the end of its request, in microseconds; values are milliseconds (`k6 run --out csv`, docs of k6 1.1).
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Record = dict[str, Any]
_FIRST = b"http_reqs,"
_TIMED = (b"http_req_duration,", b"http_req_sending,", b"http_req_waiting,", b"http_req_failed,")
_COUNTED = (b"iterations,", b"dropped_iterations,", b"checks,")
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
_USER_INFO = re.compile(r"://[^/?#@\s]*@")
_QUERY_VALUE = re.compile(r"([?&][^=&#\s]*)=[^&#\s]*")


class Samples:
    """Takes lines, gives records. What belongs to one request stands together.

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
        self._columns: dict[str, int] = {}
        self._open: dict[str, Any] | None = None
        self.iterations = self.dropped = 0
        self.checks = self.failed_checks = 0

    def records(self, lines: Iterable[bytes]) -> Iterator[Record]:
        """Those that are whole after these lines."""
        for line in lines:
            if line.startswith(_FIRST):
                self._open = self._begun(line)
            elif self._open is not None and line.startswith(_TIMED):
                name, _, rest = line.partition(b",")
                self._open[name.decode()] = float(rest.split(b",", 2)[1])
                if name == b"http_req_failed":
                    yield self._record(self._open)
                    self._open = None
            elif line.startswith(_COUNTED):
                self._count(line)
            elif line.startswith(b"metric_name,"):
                self._columns = {name: at for at, name in enumerate(line.decode().strip().split(","))}

    def _begun(self, line: bytes) -> dict[str, Any]:
        text = line.decode("utf-8", "replace").rstrip("\n")
        fields = next(csv.reader([text])) if '"' in text else text.split(",")
        return {name: fields[at] for name, at in self._columns.items() if at < len(fields)}

    def _count(self, line: bytes) -> None:
        name, _, rest = line.partition(b",")
        value = float(rest.split(b",", 2)[1])
        if name == b"iterations":
            self.iterations += int(value)
        elif name == b"dropped_iterations":
            self.dropped += int(value)
        else:
            self.checks += 1
            self.failed_checks += value == 0

    def _record(self, told: dict[str, Any]) -> Record:
        metadata = dict(parse_qsl(told.get("metadata", ""), keep_blank_values=True))
        end_ns = int(told["timestamp"]) * 1000
        start_ns = end_ns - round(told.get("http_req_duration", 0.0) * 1e6)
        first_ns = start_ns + round(
            (told.get("http_req_sending", 0.0) + told.get("http_req_waiting", 0.0)) * 1e6
        )
        status = int(told.get("status") or 0) or None
        method, url = told.get("method", ""), told.get("url", "")
        name = _name(told.get("name", ""), method, url)
        known = self._urls.get(name) or (safe_url(url) if "://" in url else None)
        return {
            "protocol": "http",
            "scenario": self._scenario
            if told.get("scenario") in ("default", "load", "")
            else told["scenario"],
            "name": name,
            "method": method,
            "url": known,
            "phase": self._phase(metadata.get("phase")),
            "intended_ns": start_ns,
            "start_ns": start_ns,
            "first_byte_ns": None if status is None else min(first_ns, end_ns),
            "end_ns": end_ns,
            "status": status,
            "error": self._error(told, status, name),
            "bytes_in": None,
            "bytes_out": None,
            "request_id": metadata.get("rid"),
            "user": f"vu{metadata.get('vu', '')}",
        }

    def _phase(self, number: str | None) -> str:
        if number is None or not number.lstrip("-").isdigit() or not self._phases:
            return self._phases[0] if len(self._phases) == 1 else "1"
        return self._phases[int(number)]  # -1, past the last end: the last one

    def _error(self, told: dict[str, Any], status: int | None, name: str) -> str | None:
        if status is None:
            code = int(told.get("error_code") or 0)
            return _DONE.get(code) or (told.get("error") or f"k6 error {code}")[:_LONGEST]
        expected = self._expect.get(name)
        if expected and status not in expected:
            return f"expected {' or '.join(map(str, expected))}, got {status}"
        return None


def _name(name: str, method: str, url: str) -> str:
    """What the script calls it; k6 calls a request by its url, where nobody did, and its url by the name, where somebody did."""
    if name and "://" not in name:
        return name
    return f"{method} {urlsplit(url).path or '/'}"


def safe_url(url: str) -> str:
    """Without user-info, fragment and query values; the keys stay."""
    plain = _USER_INFO.sub("://", url.split("#", 1)[0])
    return _QUERY_VALUE.sub(r"\1=", plain)[:_LONGEST_URL]
