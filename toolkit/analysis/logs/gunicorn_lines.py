"""gunicorn's own words in its error log, of releases 19 to 27, and what happened by them."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

from toolkit.analysis.logs.events import Event, set_count, set_request

if TYPE_CHECKING:
    from collections.abc import Callable

_PID = r"\(pid: ?(?P<pid>\d{1,10})\)"
TEXTS = (
    ("starting", r"Starting gunicorn \S{1,60}"),
    ("listening", r"Listening at: .{1,1000}? \((?P<pid>\d{1,10})\)"),
    ("listening", r"Listening at: \S.{0,1000}"),
    ("using_worker", r"Using worker: \S.{0,200}"),
    ("control_socket", r"Control socket listening at \S.{0,1000}"),
    ("booting", r"Booting worker with pid: (?P<pid>\d{1,10})"),
    ("ready", r"Arbiter booted"),
    ("ready", r"Server is ready\. Spawning workers"),
    ("ready", r"Application startup complete\.?"),
    ("exiting", rf"Worker exiting {_PID}"),
    ("timeout", rf"WORKER TIMEOUT {_PID}"),
    ("graceful_timeout", rf"Worker graceful timeout {_PID}"),
    ("killed", rf"Worker {_PID} was sent (?P<signal>SIG\w{{1,12}}|(?:code|signal) \d{{1,3}})!.{{0,100}}"),
    ("killed", r"Worker with pid (?P<pid>\d{1,10}) was terminated due to signal (?P<signal>\d{1,3})"),
    ("worker_exited", rf"Worker {_PID} exited with code (?P<code>-?\d{{1,4}})\.?"),
    ("max_requests", r"Autorestarting worker after current request\.?"),
    ("max_requests", r"Maximum request limit of \d{1,12} exceeded\. Terminating process\.?"),
    ("reloading", r"Hang up: .{1,200}"),
    ("boot_failed", r"Exception in worker process:?.{0,1000}"),
    ("boot_failed", r"Worker failed to boot\.?"),
    ("boot_failed", r"App failed to load\.?"),
    ("boot_failed", r"Reason: (?:Worker failed to boot|App failed to load)\.?"),
    ("shutdown", r"Shutting down: .{1,200}"),
    ("orphaned", r"Parent changed, shutting down: .{1,500}"),
    ("code_changed", r"Worker reloading: .{1,1000} modified"),
    ("invalid_request", r"Invalid request from ip=(?P<client>\S{0,100}): .*"),
    ("request_failed", r"Error handling request \(no URI read\)"),
    ("request_failed", r"Error handling request (?P<method>[A-Z]{1,16}) (?P<target>\S.*)"),
    ("request_failed", r"Error handling request (?P<target>\S.*)"),
    ("request_failed", r"Error handling request"),
    ("socket_error", r"Socket error processing request\.?"),
    ("address_in_use", r"Connection in use: .{1,300}"),
    ("bind_failed", r"Can't connect to .{1,300}"),
    ("promoted", r"Master has been promoted\.?"),
    ("arbiter_failed", r"Unhandled exception in main loop:?.{0,1000}"),
    ("graceful_stop", r"graceful stop of workers"),
    ("quick_shutdown", r"Quick shutdown requested"),
    ("usr2_ignored", r"USR2 signal ignored\. .{1,50}"),
)
"""(event, text); of several that fit, the first. `Handling signal: hup` is the event 'hup', and so on for all that gunicorn
handles."""

_HANDLED = re.compile(r"Handling signal: (hup|quit|int|term|ttin|ttou|usr1|usr2|winch|abrt)")
_WORD = re.compile(r"[A-Za-z2']{1,14}", re.ASCII)


def gunicorn_event(message: str) -> Event | None:
    """`event`, and the `pid`, `exit_signal`, `exit_code` … it is about; None where gunicorn says no such thing."""
    first = _WORD.match(message)
    candidates = _BY_FIRST_WORD.get(first[0]) if first else None
    if candidates is None:
        return None
    for name, pattern in candidates:
        if (found := pattern.fullmatch(message)) is not None:
            return {"event": name, **_details(found)}
    handled = _HANDLED.fullmatch(message)
    return {"event": handled[1]} if handled else None


def _details(found: re.Match[str]) -> Event:
    event: Event = {}
    for name, text in found.groupdict().items():
        _DETAILS[name](event, text)
    return event


def _signal(event: Event, text: str) -> None:
    """`SIGKILL`; or a number: releases before 23 say the status of wait(2), in which 128 stands for a core dump."""
    number = text.rpartition(" ")[2]
    event["exit_signal"] = text
    if number.isdigit():
        try:
            event["exit_signal"] = signal.Signals(int(number) & 0x7F).name
        except ValueError:
            event["exit_signal"] = f"signal {number}"


def _code(event: Event, text: str) -> None:
    event["exit_code"] = int(text)


def _pid(event: Event, text: str) -> None:
    set_count(event, "pid", text)


def _method(event: Event, text: str) -> None:
    set_request(event, text, None)


def _target(event: Event, text: str) -> None:
    set_request(event, None, text)


def _client(event: Event, text: str) -> None:
    event["client"] = text


_DETAILS: dict[str, Callable[[Event, str], None]] = {
    "pid": _pid,
    "signal": _signal,
    "code": _code,
    "method": _method,
    "target": _target,
    "client": _client,
}


def _by_first_word() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    found: dict[str, list[tuple[str, re.Pattern[str]]]] = {"Handling": []}
    for name, text in TEXTS:
        word = _WORD.match(text)
        assert word is not None  # noqa: S101 - of the table above
        found.setdefault(word[0], []).append((name, re.compile(text, re.ASCII | re.DOTALL)))
    return found


_BY_FIRST_WORD = _by_first_word()
