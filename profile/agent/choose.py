"""Which of the gunicorns on this machine is meant: by name, PID, pidfile, port or systemd unit, or the only one there is."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING, Any, Optional, Tuple

import procfs
import sockets
import units
from faults import Fault

if TYPE_CHECKING:
    from trees import Process, Tree

Chosen = Tuple["Tree", Optional[str]]

CHOICES = ("name", "pid", "pidfile", "port", "unit")


def described(tree: Tree) -> dict[str, Any]:
    """An arbiter as it goes over the wire."""
    arbiter = tree.arbiter
    return {
        "pid": arbiter.pid,
        "create_time": procfs.create_time(arbiter.start_ticks),
        "name": tree.name,
        "user": user_of(arbiter.pid),
        "cmdline": procfs.text(list(arbiter.argv)),
        "listen": sockets.of_tree(tree)[0],
        "pidfile": tree.settings.get("pidfile"),
        "unit": unit_of(arbiter.pid),
        "workers": [worker.pid for worker in tree.workers],
        "upgrading": bool(tree.successors),
    }


def user_of(pid: int) -> str:
    """The name of the user a process runs as, else the number; empty where the process is gone."""
    uid = procfs.uid(pid)
    return "" if uid is None else user_name(uid)


def user_name(uid: int) -> str:
    """The name of a user, else the number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def unit_of(pid: int) -> Optional[str]:
    """The systemd service that a process belongs to: the innermost one."""
    for path in procfs.control_groups(pid):
        for part in reversed(path.split("/")):
            if part.endswith(".service") and not part.startswith("user@"):
                return part
    return None


def chosen(trees: list[Tree], orphans: list[Process], choice: dict[str, Any]) -> Chosen:
    """(tree, note): the gunicorn that `choice` means; `note` says where something else than its arbiter was named.

    Raises:
        Fault: `protocol`, `no-gunicorn`, `not-gunicorn` or `ambiguous`, with every gunicorn there is listed.
    """
    given = {key: value for key, value in choice.items() if value not in (None, "")}
    if len(given) > 1 or set(given) - set(CHOICES):
        raise Fault("protocol", "A choice is at most one of: %s." % ", ".join(CHOICES))
    if not trees and not given.keys() & {"pid", "pidfile"}:
        raise Fault(
            "no-gunicorn", "No gunicorn runs on this machine." + _told(orphans), "Start it, then try again."
        )
    if not given:
        return _only(trees, "Several gunicorns run on this machine."), None
    ((key, value),) = given.items()
    return _BY[key](trees, value)


def _told(orphans: list[Process]) -> str:
    if not orphans:
        return ""
    numbers = ", ".join(str(process.pid) for process in sorted(orphans))
    return " Workers without an arbiter are left: %s." % numbers


def _only(trees: list[Tree], otherwise: str) -> Tree:
    if len(trees) == 1:
        return trees[0]
    raise Fault("ambiguous", otherwise, "", tuple(described(tree) for tree in trees))


def _matching(trees: list[Tree], matching: list[Tree], what: str) -> Tree:
    if not matching:
        raise Fault("no-gunicorn", "No gunicorn has %s." % what, "", tuple(described(tree) for tree in trees))
    return _only(matching, "Several gunicorns have %s." % what)


def _by_name(trees: list[Tree], value: object) -> Chosen:
    matching = [tree for tree in trees if tree.name == str(value)]
    return _matching(trees, matching, "the name %s" % _quoted(value)), None


def _quoted(value: object) -> str:
    return '"%s"' % procfs.text([str(value)])[:100]


def _number(value: object, what: str) -> int:
    if isinstance(value, bool) or not str(value).isdigit():
        raise Fault("protocol", "%s is no %s." % (_quoted(value), what))
    return int(str(value))


def _by_pid(trees: list[Tree], value: object) -> Chosen:
    pid = _number(value, "PID")
    now = procfs.stat(pid)
    everything = tuple(described(tree) for tree in trees)
    if now is None or now.state in "ZX":
        raise Fault("no-gunicorn", "No process has the PID %d." % pid, "", everything)
    for tree in trees:
        if pid == tree.arbiter.pid:
            return tree, None
        if pid in tree.pids:
            kind = (
                "a worker"
                if pid in [worker.pid for worker in tree.workers]
                else "the new arbiter of an upgrade"
            )
            return tree, "PID %d is %s of the arbiter %d, which was taken." % (pid, kind, tree.arbiter.pid)
    below = set(procfs.descendants(pid))
    matching = [tree for tree in trees if tree.arbiter.pid in below]
    if matching:
        tree = _only(matching, "PID %d has started several gunicorns." % pid)
        return tree, "PID %d is not gunicorn but has started the arbiter %d, which was taken." % (
            pid,
            tree.arbiter.pid,
        )
    what = procfs.text(procfs.argv(procfs.raw_cmdline(pid))) or "a kernel thread"
    raise Fault(
        "not-gunicorn", "PID %d is not gunicorn's arbiter; it runs: %s" % (pid, what[:200]), "", everything
    )


def _by_pidfile(trees: list[Tree], value: object) -> Chosen:
    words = (procfs.small_file(str(value)) or "").split()
    # The file's text is never told: as root this would read any file to anybody.
    if len(words) != 1 or not words[0].isdigit():
        for tree in trees:
            if os.path.basename(str(tree.settings.get("pidfile") or "")) == os.path.basename(str(value)):
                return (
                    tree,
                    "The pidfile %s cannot be read; the gunicorn that was started with it was taken." % value,
                )
        raise Fault(
            "no-gunicorn",
            "The pidfile %s is missing, cannot be read, or holds no PID." % _quoted(value),
            "",
            tuple(described(tree) for tree in trees),
        )
    tree, note = _by_pid(trees, words[0])
    return tree, note


def _by_port(trees: list[Tree], value: object) -> Chosen:
    port = _number(value, "port")
    matching: list[Tree] = []
    unknown: list[Tree] = []
    for tree in trees:
        addresses, known = sockets.of_tree(tree)
        if port in [sockets.port_of(listening) for listening in addresses]:
            matching.append(tree)
        elif not known and not addresses:
            unknown.append(tree)
    if not matching and unknown:
        raise Fault(
            "not-permitted",
            "No gunicorn is known to listen on port %d, but the sockets of %d gunicorn%s of %s cannot be read."
            % (port, len(unknown), "s" if len(unknown) > 1 else "", _owners(unknown)),
            "Set `sudo: true` for this server, log in as that user, or choose by name, PID or pidfile.",
            tuple(described(tree) for tree in trees),
        )
    return _matching(trees, matching, "port %d" % port), None


def _owners(trees: list[Tree]) -> str:
    return ", ".join(sorted({user_of(tree.arbiter.pid) or "an unknown user" for tree in trees}))


def _by_unit(trees: list[Tree], value: object) -> Chosen:
    unit = str(value)
    wanted = unit if "." in unit.rsplit("@", 1)[-1] else unit + ".service"
    matching = [tree for tree in trees if _in_unit(tree.arbiter.pid, wanted)]
    if not matching:
        main = units.main_pid(wanted)
        if main:
            return _by_pid(trees, main)
    return _matching(trees, matching, "the unit %s" % _quoted(wanted)), None


def _in_unit(pid: int, unit: str) -> bool:
    return any(unit in path.split("/") for path in procfs.control_groups(pid))


_BY = {"name": _by_name, "pid": _by_pid, "pidfile": _by_pidfile, "port": _by_port, "unit": _by_unit}
