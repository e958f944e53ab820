"""Writes down what an agent sees beside the stacks: metrics, births and deaths, logs. Every name and size is checked here."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from typing import IO, TYPE_CHECKING, Any

from toolkit.plan.secrets import mask_command
from toolkit.recording.files import write_atomically
from toolkit.recording.jsonl import JsonLines
from toolkit.recording.metric_fields import HOST, PROCESS, SERVICE
from toolkit.recording.records import LOG_BLOCK_FIELDS, LOG_SOURCE_FIELDS
from toolkit.run.agent_files import RefusedError
from toolkit.run.agent_trust import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from toolkit.recording.layout import ServerFolder
    from toolkit.recording.metric_fields import Metric

BLOCK_BYTES = 256 * 1024
METRICS_BYTES = 2 * 2**30
"""Of lines before compression: no server may fill the operator's disk."""

_MOST_SOURCES = 256
_MOST_PROCESSES = 2000
_MOST_BLOCKS = 5_000_000
_MOST_LIVES = 500_000
_SLACK = 1.1  # of the log limit: the agent keeps it, this side only sees to it that it is kept
_EVENTS = ("data", "start", "rotated", "truncated", "dropped", "limit", "gone")
_KINDS = ("file", "journal")
_ROLES = ("access", "error", "application")
_LARGEST = 1e18


class WatchFiles:
    """Metrics, workers and logs of one server. Used by one thread, the reader of that server's connection."""

    def __init__(self, folder: ServerFolder, log_limit_bytes: int) -> None:
        self._folder = folder
        self._limit = log_limit_bytes * _SLACK + BLOCK_BYTES
        self._metrics: IO[bytes] | None = None
        self._metrics_bytes = 0
        self._packer = zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        self._workers = JsonLines(folder.workers)
        self._index: JsonLines | None = None
        self._sources: dict[int, dict[str, Any]] = {}
        self._waited_for: set[int] = set()
        self._logs: dict[int, IO[bytes]] = {}
        self._sizes: dict[int, int] = {}
        self._blocks = 0
        self._lives = 0
        self.log_bytes = 0
        self.lines = 0
        """Of metrics, so far."""
        self.listener: Callable[[dict[str, Any]], None] | None = None
        """Is told each line of metrics, in the reader's thread."""

    def metrics(self, message: Mapping[str, Any]) -> None:
        """Append one line of metrics; names that are not agreed on, and what is no number, are left out.

        Raises:
            RefusedError: it has no time, or too much was sent.
            OSError: this side cannot write.
        """
        line = {
            "t_ns": _time(message),
            "host": _values(message.get("host"), HOST),
            "service": _values(message.get("service"), SERVICE),
            "processes": [row for item in _items(message.get("processes")) for row in _process(item)],
        }
        data = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        self._metrics_bytes += len(data)
        if self._metrics_bytes > METRICS_BYTES:
            raise RefusedError("more metrics than anybody could need")
        if self._metrics is None:
            self._metrics = self._folder.metrics.open("wb")
        # Flushed to a byte at each line, so that a run that is killed has all of them but for gzip's end mark.
        self._metrics.write(self._packer.compress(data) + self._packer.flush(zlib.Z_SYNC_FLUSH))
        self._metrics.flush()
        self.lines += 1
        if self.listener is not None:
            self.listener(line)

    def workers(self, t_ns: int, born: list[dict[str, Any]], died: list[dict[str, Any]]) -> None:
        """Append births and deaths.

        Raises:
            RefusedError: too many were told.
        """
        self._lives += max(1, len(born) + len(died))
        if self._lives > _MOST_LIVES:
            raise RefusedError("more births and deaths than anybody could need")
        self._workers.append({"t_ns": t_ns, "born": born, "died": died})

    def sources(self, rows: object) -> None:
        """Take the sources that the agent follows; sources.json holds all that were told.

        Raises:
            RefusedError: one of them is malformed, or there are too many.
        """
        for item in _items(rows):
            source = _source(item)
            number = source["source"]
            if number in self._sources or len(self._sources) >= _MOST_SOURCES:
                raise RefusedError(f"log {number} was named twice, or there are too many logs")
            self._sources[number] = source
            if item.get("waiting") is True:
                self._waited_for.add(number)
        if self._sources:
            self._folder.logs.mkdir(parents=True, exist_ok=True)
            text = json.dumps(list(self._sources.values()), indent=2, ensure_ascii=False) + "\n"
            write_atomically(self._folder.log_sources, text)

    @property
    def followed(self) -> list[str]:
        """The paths and units that are followed."""
        return [
            source["path"]
            for number, source in self._sources.items()
            if not source["note"] and number not in self._waited_for
        ]

    @property
    def not_followed(self) -> list[str]:
        """Sentences on the logs that are not, or that were not there as they were looked for."""
        return [
            f"{source['path']} is not there; it is followed when it comes"
            if number in self._waited_for
            else f"{source['path']} is not followed: {source['note']}"
            for number, source in self._sources.items()
            if source["note"] or number in self._waited_for
        ]

    def block(self, message: Mapping[str, Any]) -> None:
        """Append one block of a log, or what happened to it.

        Raises:
            RefusedError: unknown source, wrong size or encoding, or beyond the limit.
            OSError: this side cannot write.
        """
        number, what = message.get("source"), message.get("what")
        source = self._sources.get(number) if isinstance(number, int) else None
        if source is None or what not in _EVENTS:
            raise RefusedError("a block of a log that was never named")
        self._blocks += 1
        if self._blocks > _MOST_BLOCKS:
            raise RefusedError("more blocks of logs than anybody could need")
        data = _unpacked(message.get("data")) if what == "data" else b""
        if self.log_bytes + len(data) > self._limit:
            raise RefusedError(f"more of {source['path']} than was asked for")
        number = source["source"]
        row = dict.fromkeys(LOG_BLOCK_FIELDS) | {
            "source": number,
            "t_ns": _time(message),
            "what": what,
        }
        for name in ("bytes", "generation", "offset"):
            row[name] = _count(message.get(name))
        row["since_ns"] = _count(message.get("since"))
        note = message.get("note")
        row["note"] = plain(note, 500) if isinstance(note, str) else None
        if what == "data":
            row["bytes"], row["position"] = len(data), self._sizes.get(number, 0)
            self._write(number, source["file"], data)
        if self._index is None:
            self._index = JsonLines(self._folder.log_index)
        self._index.append(row)

    def close(self) -> None:
        """Close every file."""
        if self._metrics is not None:
            self._metrics.write(self._packer.flush(zlib.Z_FINISH))
            self._metrics.close()
            self._metrics = None
        for file in self._logs.values():
            file.close()
        if self._index is not None:
            self._index.close()
        self._workers.close()

    def _write(self, number: int, name: str, data: bytes) -> None:
        if number not in self._logs:
            self._logs[number] = (self._folder.logs / name).open("wb")
        self._logs[number].write(data)
        self._logs[number].flush()
        self._sizes[number] = self._sizes.get(number, 0) + len(data)
        self.log_bytes += len(data)


def worker_rows(value: object) -> list[dict[str, Any]]:
    """The WORKERs in a list of them, typed and bounded."""
    rows = []
    for item in _items(value)[:_MOST_PROCESSES]:
        pid, born = _count(item.get("pid")), _number(item.get("create_time"))
        if not pid:
            continue
        row: dict[str, Any] = {
            "pid": pid,
            "create_time": born,
            "title": mask_command(plain(str(item.get("title") or ""), 300)),
        }
        ended = item.get("exit")
        if isinstance(ended, dict):
            row["exit"] = {
                key: code for key in ("code", "signal") if (code := _count(ended.get(key))) is not None
            }
        rows.append(row)
    return rows


def _items(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _time(message: Mapping[str, Any]) -> int:
    t_ns = _count(message.get("t"))
    if not t_ns:
        raise RefusedError("a message without a time")
    return t_ns


def _count(value: object) -> int | None:
    fine = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST * 10
    return value if fine and isinstance(value, int) else None


def _number(value: object) -> float | int | None:
    fine = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= _LARGEST
    return value if fine and isinstance(value, (int, float)) else None


def _values(given: object, known: Mapping[str, Metric]) -> dict[str, float | int]:
    items = given if isinstance(given, dict) else {}
    numbers = {name: _number(items.get(name)) for name in known}
    return {name: number for name, number in numbers.items() if number is not None}


def _process(item: dict[str, Any]) -> list[dict[str, Any]]:
    pid, born = _count(item.get("pid")), _number(item.get("create_time"))
    if not pid or born is None:
        return []
    role = "arbiter" if item.get("role") == "arbiter" else "worker"
    state = plain(str(item.get("state") or ""), 1)
    return [{"pid": pid, "create_time": born, "role": role, "state": state, **_values(item, PROCESS)}]


def _source(item: dict[str, Any]) -> dict[str, Any]:
    number, path = _count(item.get("source")), item.get("path")
    if number is None or number >= _MOST_SOURCES or not isinstance(path, str) or not path:
        raise RefusedError("a log without a number or a path")
    row: dict[str, Any] = {name: item.get(name) for name in LOG_SOURCE_FIELDS}
    for name in ("path", "found", "format", "note"):
        row[name] = plain(row[name], 2000) if isinstance(row[name], str) and row[name] else None
    row["kind"] = row["kind"] if row["kind"] in _KINDS else "file"
    row["role"] = row["role"] if row["role"] in _ROLES else None
    # The server's name for it is shown but never a path here: the number alone makes it unique and safe.
    tail = re.sub(r"[^A-Za-z0-9._-]+", "-", path.rsplit("/", 1)[-1]).strip("-.")[:60]
    row["file"] = f"{number:03d}-{tail or 'log'}.log" if not tail.endswith(".log") else f"{number:03d}-{tail}"
    return row


def _unpacked(data: object) -> bytes:
    if not isinstance(data, str) or len(data) > BLOCK_BYTES * 2:
        raise RefusedError("a block of a log has no data, or too much")
    try:
        unpacker = zlib.decompressobj()
        raw = unpacker.decompress(base64.b64decode(data, validate=True), BLOCK_BYTES)
    except (binascii.Error, ValueError, zlib.error):
        raise RefusedError("a block of a log cannot be unpacked") from None
    if unpacker.unconsumed_tail or not unpacker.eof:
        raise RefusedError("a block of a log is too large or cut off")
    return raw
