"""Why a worker died, or was born: rules over its own log lines, orders to the arbiter, and what the kernel counted.

The first rule that knows decides. `certain` is only what a log line or a count says by itself; `likely` is what fits and has no
rival that was looked at; everything else is `unknown`, and says what is known.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from toolkit.analysis.watch.lives import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.analysis.watch.lives import Life
    from toolkit.analysis.watch.log_lines import LogLine
    from toolkit.analysis.watch.memory_kills import MemoryKills
    from toolkit.analysis.watch.metric_tables import Watched
    from toolkit.analysis.watch.orders import Orders

CERTAIN, LIKELY, UNKNOWN = "certain", "likely", "unknown"

_CRASHES = {"SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT", "SIGSYS", "SIGTRAP"}
_TIMEOUT_CODES = {0, 1}
BOOT_CODES = {3: "it failed to boot", 4: "the application could not be loaded"}
"""Exit codes after which gunicorn ends itself."""
_TOLD_BY_EXIT = {"killed", "crash", "exited", "boot_failed"}
"""Causes that the kernel's word on how the process ended tells without a line."""
_QUOTED = "other text was written together with this line, which may be a part of that"
_BOOT_NS = 30 * SECOND_NS
"""One that was so old when watching began had booted, else gunicorn's default timeout had ended it."""
_DRAIN_NS = 35 * SECOND_NS
"""So long a worker may go on after it wrote that it ends: the graceful timeout is 30 s unless it was set."""
_TIMED_OUT = 1
"""With it a worker ends that gunicorn sent SIGABRT after its timeout, where it still could."""


class Cause(NamedTuple):
    """Why."""

    cause: str
    """Of a death: timeout, max_requests, hup, ttou, usr2, oom, killed, crash, boot_failed, shutdown, exited, unknown.
    Of a birth: started, hup, ttin, usr2, replaced, unknown."""
    words: str
    certainty: str
    line: LogLine | None = None
    """The log line that says so."""
    evidence: str = ""
    """What else says so."""


@dataclass(frozen=True)
class Circumstances:
    """What is known beside a worker's own lines."""

    orders: Orders
    watched: Watched
    memory: MemoryKills
    log_read: bool
    """Gunicorn's log was followed and said something."""
    log_followed: bool
    """It was followed, whether or not it said anything."""
    orders_logged: bool
    """The log is detailed enough to hold what the arbiter was told to do."""
    orderly_ends_logged: bool
    """The log is detailed enough to hold the line with which a worker ends in order."""
    max_requests: int
    """That gunicorn was given, as far as its arguments tell; 0 for none."""

    @property
    def silence(self) -> str:
        """Why nothing is known from a log that said nothing."""
        if self.log_followed:
            return "gunicorn's log, which was followed, said nothing of its workers"
        return "no log of gunicorn was read"


def cause_of_death(life: Life, around: Circumstances) -> Cause:
    """Why a worker that died did so."""
    for rule in _RULES:
        cause = rule(life, around)
        if cause is not None:
            return _doubted(cause, life)
    return _unknown(life, around)


def _doubted(cause: Cause, life: Life) -> Cause:
    """What only a line says that a client may have written into a message is not certain."""
    line = cause.line
    if cause.certainty != CERTAIN or line is None or not line.perhaps_quoted:
        return cause
    if life.exit and cause.cause in _TOLD_BY_EXIT:
        return cause
    evidence = "; ".join(part for part in (cause.evidence, _QUOTED) if part)
    words = f"{cause.words}, as a line says that a client may have forged"
    return cause._replace(certainty=LIKELY, words=words, evidence=evidence)


def exit_signal(life: Life) -> str | None:
    """The name of the signal that ended it, as far as the kernel, through the agent, or gunicorn say."""
    said = life.exit.get("signal")
    if type(said) in (int, str):
        return _signal_name(str(said))
    line = life.end_line
    if line is not None and line.exit_signal and "code" not in life.exit:
        return _signal_name(line.exit_signal.removeprefix("signal "))
    return None


def _signal_name(said: str) -> str | None:
    if not (said.isascii() and said.isdigit() and len(said) < 5):
        return said if 0 < len(said) <= 20 else None
    try:
        # gunicorn before 23 says the status of wait(2), in which 128 stands for a core dump.
        return signal.Signals(int(said) & 0x7F).name
    except ValueError:
        return f"signal {said}"


def exit_code(life: Life) -> int | None:
    """The code it exited with, as far as the kernel, through the agent, or gunicorn say."""
    code = life.exit.get("code")
    if type(code) is int and abs(code) < 2**31:
        return code
    line = next((line for line in life.lines if line.exit_code is not None), None)
    return None if line is None or life.exit.get("signal") else line.exit_code


def _timeout(life: Life, _: Circumstances) -> Cause | None:
    line = life.line("timeout")
    code = life.exit.get("code")
    # It is told to abort, and exits if it still can, or is killed: another code, as the kernel tells, is of another end.
    if line is None or (type(code) is int and code not in _TIMEOUT_CODES):
        return None
    return Cause(
        "timeout", "it did not report to gunicorn for the timeout, and gunicorn killed it", CERTAIN, line
    )


def _boot(life: Life, _: Circumstances) -> Cause | None:
    code = exit_code(life)
    line = life.line("boot_failed") or life.line("worker_exited")
    if code in BOOT_CODES and life.there and not life.line("boot_failed"):
        words = f"it ended by itself with exit code {code}: it was there when watching began, and had booted"
        settled = life.seen_ns - life.born_ns > _BOOT_NS
        return Cause(
            "exited", words, CERTAIN if settled else LIKELY, line, "" if line else f"exit code {code}"
        )
    if code in BOOT_CODES:
        evidence = "" if line else f"exit code {code}"
        return Cause("boot_failed", f"{BOOT_CODES[code]} (exit code {code})", CERTAIN, line, evidence)
    if line is None or line.event != "boot_failed":
        return None
    if code is not None:  # gunicorn tells by the code whether it had booted
        return Cause("crash", f"an exception ended the worker (exit code {code})", CERTAIN, line)
    return Cause("boot_failed", "an exception ended it, it seems as it booted", LIKELY, line)


def _signal(life: Life, around: Circumstances) -> Cause | None:
    name = exit_signal(life)
    if name is None or name in ("SIGTERM", "SIGINT", "SIGQUIT"):
        return None
    line = life.end_line
    evidence = "" if line else f"exit by {name}"
    if name == "SIGKILL":
        return _sigkill(life, around, line, evidence)
    if name in _CRASHES:
        return Cause("crash", f"it crashed ({name})", CERTAIN, line, evidence)
    return Cause("killed", f"{name} was sent to it from outside gunicorn", CERTAIN, line, evidence)


def _sigkill(life: Life, around: Circumstances, line: LogLine | None, evidence: str) -> Cause:
    if cause := _memory(life, around, line, evidence):
        return cause
    if order := around.orders.shutdown_of(life):
        words = "gunicorn was told to end, and killed it as it did not within the graceful timeout"
        return Cause("shutdown", words, LIKELY, line or order, evidence)
    rival = around.memory.went_to_others(life)
    counted = not rival and _counted(life, around.watched)
    memory = "whether the kernel killed it for lack of memory was not measured"
    if rival:
        memory = "the kernel counted fewer kills for lack of memory than workers died then"
    elif counted:
        memory = "the kernel counted no kill for lack of memory" + _where_counted(life, around.watched)
    if around.log_read:
        words = f"SIGKILL from outside gunicorn: it did not time out, and {memory}"
        return Cause("killed", words, CERTAIN if counted else LIKELY, line, evidence)
    words = f"SIGKILL, from outside or, as {around.silence}, after a timeout; {memory}"
    return Cause("killed", words, LIKELY, line, evidence)


def _memory(life: Life, around: Circumstances, line: LogLine | None, evidence: str) -> Cause | None:
    """The kernel killed for lack of memory while this one died. Gunicorn's `Perhaps out of memory?` says nothing: it stands
    after every SIGKILL."""
    kill = around.memory.of(life)
    if kill is None:
        return None
    where = "in the service's cgroup" if kill.scope == "service" else "on the host"
    said = f"{'cgroup_oom_kills' if kill.scope == 'service' else 'oom_kills'} grew by {kill.kills:.0f}"
    evidence = f"{evidence}, {said}" if evidence else said
    words = f"the kernel killed for lack of memory {where} as it died"
    return Cause("oom", words, CERTAIN if kill.sure else LIKELY, line, evidence)


def _counted(life: Life, watched: Watched) -> bool:
    """Whether the kernel's count was read before and after this death."""
    died_ns = life.died_ns or 0
    return any(
        from_ns <= died_ns - SECOND_NS and died_ns + SECOND_NS <= to_ns
        for from_ns, to_ns in [*watched.oom_counted, *watched.own_oom_counted]
    )


def _where_counted(life: Life, watched: Watched) -> str:
    died_ns = life.died_ns or 0
    own = any(from_ns <= died_ns <= to_ns for from_ns, to_ns in watched.own_oom_counted)
    return " in the service's cgroup" if own else ""


def _max_requests(life: Life, _: Circumstances) -> Cause | None:
    line = life.line("max_requests")
    if line is None:
        return None
    return Cause("max_requests", "it had answered max_requests requests", CERTAIN, line)


def _ordered(life: Life, around: Circumstances) -> Cause | None:
    # A worker that is told to end exits with 0.
    return None if exit_code(life) else around.orders.explain(life)


def _exited(life: Life, around: Circumstances) -> Cause | None:
    name, code = exit_signal(life), exit_code(life)
    line = life.end_line
    if name is not None:
        return _ended_by(name, life, around, line)
    if code:
        evidence = "" if line else f"exit code {code}"
        if code == _TIMED_OUT and not around.log_read:
            words = f"it ended with exit code 1: by itself or, as {around.silence}, after a timeout"
            return Cause("exited", words, LIKELY, line, evidence)
        return Cause("exited", f"it ended by itself with exit code {code}", CERTAIN, line, evidence)
    return None


def _ended_by(name: str, life: Life, around: Circumstances, line: LogLine | None) -> Cause:
    """By a signal that gunicorn sends too: whether it did is known only where its log would hold the order."""
    evidence = "" if line else f"exit by {name}"
    if around.orders_logged:
        return Cause("killed", f"{name} was sent to it from outside gunicorn", CERTAIN, line, evidence)
    if not around.log_read and (cause := around.orders.unsaid(life)):
        return cause._replace(evidence=evidence)
    why = "its log holds no orders" if around.log_read else around.silence
    words = f"{name} was sent to it, by gunicorn (told to have fewer workers, to reload or to end) or from outside: {why}"
    return Cause("killed", words, LIKELY, line, evidence)


def _unsaid(life: Life, around: Circumstances) -> Cause | None:
    """Nothing was said of it: what fits."""
    if life.line("exiting"):
        return None
    cause = _memory(life, around, None, "") or (None if life.lines else around.orders.unsaid(life))
    if cause is not None:
        return cause
    if around.max_requests and exit_code(life) == 0 and not around.orderly_ends_logged:
        if not around.log_followed:
            words = (
                f"it ended in order: as gunicorn was given max_requests {around.max_requests}, or after a timeout; "
                f"{around.silence}"
            )
            return Cause("unknown", words, UNKNOWN, evidence="exit code 0")
        words = (
            f"it ended in order, no order is known, and gunicorn was given max_requests {around.max_requests}"
        )
        return Cause("max_requests", words, LIKELY, evidence="exit code 0")
    return _wordless(life, around)


def _wordless(life: Life, around: Circumstances) -> Cause | None:
    """It wrote nothing, where a worker that ends in order writes a line."""
    if around.log_read and around.orderly_ends_logged:
        if exit_code(life) == 0:
            if _may_have_spoken_before(life):
                return None
            words = "it ended by itself with exit code 0, without the line that a worker writes as it ends in order"
            return Cause("exited", words, LIKELY)
        words = "it ended without the line that a worker writes as it ends: killed by a signal, or it crashed"
        return Cause("killed", words, LIKELY)
    return None


def _unknown(life: Life, around: Circumstances) -> Cause:
    if line := life.line("exiting", "worker_exited"):
        words = (
            "it ended in order, and no line says why: told to by SIGTERM from outside, or by the application, or it had "
            "answered max_requests requests and its worker class does not say so"
        )
        return Cause("unknown", words, UNKNOWN, line)
    words = "gunicorn's log does not say why" if around.log_read else around.silence
    if around.log_read and _may_have_spoken_before(life):
        words = "gunicorn's log does not say why since the recording began; its line may be older"
    return Cause("unknown", words, UNKNOWN)


def _may_have_spoken_before(life: Life) -> bool:
    """Whether the line with which it ends may be older than the recording."""
    return life.there and (life.died_ns or 0) - life.seen_ns <= _DRAIN_NS


_RULES: tuple[Callable[[Life, Circumstances], Cause | None], ...] = (
    _timeout,
    _boot,
    _signal,
    _max_requests,
    _ordered,
    _exited,
    _unsaid,
)
