"""May py-spy read this gunicorn, and which views of it would be true? Looks once at each process and records nothing."""

from __future__ import annotations

import glob
import os
import re
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Tuple

import facts
import log_settings
import procfs
import pyspy
from faults import Fault

if TYPE_CHECKING:
    from trees import Process, Tree

Seen = Tuple["Process", pyspy.Dump]

TOTAL_S = 20.0  # for looking at all processes
_CLASSES = (
    ("uvicorn_worker/", "uvicorn_worker.UvicornWorker"),
    ("uvicorn/workers.py", "uvicorn.workers.UvicornWorker"),
    ("gunicorn/workers/gthread.py", "gthread"),
    ("gunicorn/workers/ggevent.py", "gevent"),
    ("gunicorn/workers/gasgi.py", "asgi"),
    ("gunicorn/workers/gtornado.py", "tornado"),
    ("gunicorn/workers/geventlet.py", "eventlet"),
    ("gunicorn/workers/sync.py", "sync"),
)
_METADATA = re.compile(r"gunicorn-([^-]+?)(?:-py[\d.]+)?\.(?:dist|egg)-info$")
_FREE_THREADED = re.compile(r"(?:python|cpython-)3\.?\d+t\b")


class Conditions(NamedTuple):
    """What bears on the truth of a view."""

    python: tuple[int, ...]
    foreign_namespace: bool
    free_threaded: bool


class Checked(NamedTuple):
    """`as_message` is the `checked` line; `views` maps every view to its verdict."""

    python: str
    views: dict[str, dict[str, Any]]
    notes: tuple[str, ...]
    gunicorn: dict[str, Any]

    def as_message(self) -> dict[str, Any]:
        """The `checked` line."""
        return {
            "type": "checked",
            "python": self.python,
            "views": self.views,
            "notes": list(self.notes),
            "gunicorn": self.gunicorn,
        }


def verdicts(conditions: Conditions) -> dict[str, dict[str, Any]]:
    """`{view: {"valid", "reason", "recorded_as"}}` for every view.

    Raises:
        Fault: `unsupported`, where no view would be true.
    """
    if conditions.free_threaded:
        raise Fault(
            "unsupported",
            "The service runs on a free-threaded build of Python, which py-spy cannot read.",
            "Run it on the ordinary build to profile it.",
        )
    reason = None
    if conditions.foreign_namespace:
        reason = (
            "the service runs in another PID namespace (a container): every thread would count as running; "
            "run the agent inside the container for a true cpu view"
        )
    elif conditions.python < (3, 11):
        reason = (
            "on Python %d.%d py-spy cannot tell waiting threads from running ones without pausing the service: "
            "every thread would count as running" % conditions.python[:2]
        )
    elif conditions.python[:3] in ((3, 11, 0), (3, 11, 1)):
        reason = "Python 3.11.0 and 3.11.1 lose a forked worker's thread numbers, so waiting threads would count as running"
    true = {"valid": True, "reason": None}
    cpu = (
        dict(true, recorded_as="cpu")
        if reason is None
        else {"valid": False, "reason": reason, "recorded_as": "gil"}
    )
    return {"wall": dict(true, recorded_as="wall"), "cpu": cpu, "gil": dict(true, recorded_as="gil")}


def check(executable: str, tree: Tree) -> Checked:
    """Look at the arbiter and at each worker.

    Raises:
        Fault: `not-permitted`, `unsupported`, `no-exec` or `gone`, with the cause and its cure.
    """
    arbiter = _looked_at(executable, tree.arbiter.pid)
    workers, refused = _workers(executable, tree)
    if refused and not workers:
        raise refused[0]
    suffixes = [arbiter.suffix, procfs.executable(tree.arbiter.pid), *procfs.mapped_files(tree.arbiter.pid)]
    own, theirs = procfs.namespace("self"), procfs.namespace(tree.arbiter.pid)
    conditions = Conditions(
        arbiter.version,
        theirs is not None and theirs != own,
        any(_FREE_THREADED.search(text) for text in suffixes),
    )
    described = gunicorn(tree, arbiter, workers)
    notes = _notes(described.get("worker_class", ""))
    notes += ["worker not readable: %s" % fault.message for fault in refused[:3]]
    return Checked("%d.%d.%d" % arbiter.version[:3], verdicts(conditions), tuple(notes), described)


def _workers(executable: str, tree: Tree) -> tuple[list[Seen], list[Fault]]:
    seen: list[Seen] = []
    refused: list[Fault] = []
    deadline = time.monotonic() + TOTAL_S
    for worker in tree.workers:
        if time.monotonic() > deadline:
            break
        try:
            seen.append((worker, _looked_at(executable, worker.pid)))
        except Fault as fault:
            if procfs.alive(worker.pid, worker.start_ticks):  # else it was recycled meanwhile
                refused.append(fault)
    return seen, refused


def _looked_at(executable: str, pid: int) -> pyspy.Dump:
    dump = _dumped(executable, pid)
    if not dump.version and procfs.stat(pid) is not None:
        time.sleep(
            0.1
        )  # once more: a process that has just been forked, or is starting, has no interpreter to show yet
        dump = _dumped(executable, pid)
    if not dump.version:
        raise classified(pid, dump.complaint, procfs.memory_readable(pid))
    return dump


def _dumped(executable: str, pid: int) -> pyspy.Dump:
    try:
        return pyspy.dump(executable, pid)
    except PermissionError:
        raise Fault(
            "no-exec",
            "py-spy may not be executed in %s." % os.path.dirname(executable),
            "Set TMPDIR on the server to a directory that is not mounted noexec, or prepare the server.",
        ) from None
    except OSError as error:
        raise Fault(
            "unsupported",
            "py-spy cannot run on this server (%s): %s." % (os.uname().machine, error.strerror),
            "py-spy is built for Linux on x86_64 and aarch64.",
        ) from None


def classified(pid: int, complaint: str, refusal: Optional[str]) -> Fault:
    """Why py-spy could not read a process, by evidence rather than by its words, which are the same for several causes.

    Args:
        pid: of the process.
        complaint: what py-spy said.
        refusal: as `procfs.memory_readable` gives it.
    """
    if refusal is None:
        return Fault("gone", "Process %d has ended." % pid, "Find gunicorn again.")
    if refusal or "permission" in complaint.lower():
        return Fault(
            "not-permitted",
            "py-spy may not read process %d (%s)." % (pid, refusal or "permission denied"),
            _permission_hint(pid),
        )
    told = complaint.lower()
    if "unsupported" in told:
        return Fault(
            "unsupported", "py-spy cannot read process %d: %s" % (pid, complaint), "Use another py-spy."
        )
    return Fault(
        "unsupported",
        "py-spy found no Python in process %d: %s" % (pid, complaint or "it gave no reason"),
        "py-spy reads CPython 2.7 and 3.3 to 3.14.",
    )


def _permission_hint(pid: int) -> str:
    scope, own, theirs = facts.ptrace_scope(), os.geteuid(), procfs.uid(pid)
    seen = "agent's user %d, the process's user %s, CAP_SYS_PTRACE %s, yama ptrace_scope %s" % (
        own,
        theirs,
        "held" if facts.may_trace_all() else "not held",
        "not built in" if scope is None else scope,
    )
    if own == 0:
        cure = "This looks like a container: give it the SYS_PTRACE capability."
    elif theirs != own:
        cure = "Set sudo: true for this server, or log in as the user that runs gunicorn."
    elif scope:
        cure = "Set sudo: true for this server, or have an administrator set kernel.yama.ptrace_scope to 0."
    else:
        cure = "Set sudo: true for this server."
    return "%s (Seen: %s.)" % (cure, seen)


def _notes(worker_class: str) -> list[str]:
    if worker_class in ("gevent", "eventlet"):
        return ["%s: only the greenlet that runs is seen; greenlets that wait are not." % worker_class]
    if worker_class == "gthread":
        return ["gthread: pool threads that wait for work can count as active in the cpu view."]
    if "uvicorn" in worker_class.lower() or worker_class == "asgi":
        return ["asyncio: only the task that runs is seen; tasks that wait are not."]
    return []


def gunicorn(tree: Tree, arbiter: Optional[pyspy.Dump], workers: list[Seen]) -> dict[str, Any]:
    """`{"version", "worker_class", "workers", "threads", "max_requests"}` as far as arguments, loaded files and stacks tell."""
    settings = tree.settings
    said = log_settings.of_tree(tree)
    found: dict[str, Any] = {"workers": said.number("workers") or len(tree.workers)}
    worker_class = _class_in(workers) or settings.get("worker_class")
    if worker_class:
        found["worker_class"] = worker_class
    for name in ("threads", "max_requests"):
        count = said.number(name)
        if count is not None:
            found[name] = count
    root = "/proc/%d/root" % tree.arbiter.pid  # as the service sees its files: it may live in a container
    dumps = [*([arbiter] if arbiter else []), *(dump for _, dump in workers)]
    loaded = [path for dump in dumps for _, path in dump.frames]
    version = _version(root, [*loaded, *sorted(procfs.mapped_files(tree.arbiter.pid))])
    if version:
        found["version"] = version
    return found


def _class_in(workers: list[Seen]) -> Optional[str]:
    for worker, dump in workers:
        paths = [path for _, path in dump.frames]
        for part, name in _CLASSES:
            if any(part in path for path in paths):
                return name
        # Gevent's hub runs outside gunicorn's frames, but its library is loaded in the worker.
        if any("/gevent/" in path for path in procfs.mapped_files(worker.pid)):
            return "gevent"
    return None


def _version(root: str, paths: list[str]) -> Optional[str]:
    """Gunicorn's version, from the metadata beside a package that the process has loaded."""
    for path in paths:
        head, found, _ = path.partition("/gunicorn/")
        if not found:
            head, found, _ = path.partition("/site-packages/")
            head += found.rstrip("/")
        if found:
            for folder in glob.glob(os.path.join(glob.escape(root + head), "gunicorn-*-info")):
                version = _METADATA.match(os.path.basename(folder))
                if version:
                    return version.group(1)
    return None
