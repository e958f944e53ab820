"""Gunicorn's families on this machine: every arbiter with its workers, told apart from orphans and upgrades.

A child of an arbiter is its worker, unless it is the new arbiter of a USR2 upgrade: then the variable GUNICORN_PID in its
environment names its parent, or, where that cannot be read, it has gunicorn children of its own.
"""

from __future__ import annotations

from typing import Any, Callable, NamedTuple, Optional

import procfs
import roles


class Process(NamedTuple):
    """A process whose command line is gunicorn's."""

    pid: int
    ppid: int
    pgrp: int
    start_ticks: int
    argv: tuple[str, ...]
    role: roles.Role


class Tree(NamedTuple):
    """One service: the oldest arbiter and everything of gunicorn's below it.

    `successors` are the arbiters of an upgrade that is under way; `workers` are those of all arbiters.
    """

    arbiter: Process
    workers: tuple[Process, ...]
    successors: tuple[Process, ...]

    @property
    def settings(self) -> dict[str, Any]:
        """What the command line says, of the first process that still shows its arguments."""
        for process in (self.arbiter, *self.successors, *self.workers):
            if process.role.arguments:
                return roles.settings_of(list(process.role.arguments))
        return {}

    @property
    def name(self) -> str:
        """Gunicorn's process name; empty where it cannot be known."""
        return self.arbiter.role.name

    @property
    def pids(self) -> list[int]:
        """Arbiters first, then workers."""
        return [process.pid for process in (self.arbiter, *self.successors, *self.workers)]


def candidates() -> dict[int, Process]:
    """Every process whose command line is gunicorn's, by PID."""
    found = {}
    for pid in procfs.pids():
        process = candidate(pid)
        if process is not None:
            found[pid] = process
    return found


def candidate(pid: int) -> Optional[Process]:
    """The process, where its command line is gunicorn's and it lives."""
    raw = procfs.raw_cmdline(pid)
    if b"gunicorn" not in raw:
        return None
    arguments = procfs.argv(raw)
    role = roles.role_of(arguments)
    now = procfs.stat(pid) if role else None
    if role is None or now is None or now.state in "ZX":
        return None
    return Process(pid, now.ppid, now.pgrp, now.start_ticks, tuple(arguments), role)


class Family:
    """Tells the candidates apart. `environment` and `parent_group` read the live system and can be replaced in a test."""

    def __init__(
        self,
        found: dict[int, Process],
        environment: Callable[[int], Optional[dict[str, str]]] = procfs.environment,
        parent_group: Optional[Callable[[int], Optional[int]]] = None,
    ) -> None:
        self._found = found
        self._environment = environment
        self._parent_group = parent_group or _group_of
        self._children: dict[int, list[Process]] = {}
        for process in found.values():
            self._children.setdefault(process.ppid, []).append(process)
        self._verdicts: dict[int, bool] = {}

    def trees(self) -> list[Tree]:
        """Every tree, oldest arbiter first."""
        roots = [process for process in self._found.values() if self._is_root(process)]
        return [
            self._tree(root) for root in sorted(roots, key=lambda process: (process.start_ticks, process.pid))
        ]

    def orphans(self) -> list[Process]:
        """Workers whose arbiter is gone."""
        return [
            process
            for process in self._found.values()
            if process.ppid not in self._found and not self._is_root(process)
        ]

    def _is_root(self, process: Process) -> bool:
        return process.ppid not in self._found and self.is_arbiter(process)

    def is_arbiter(self, process: Process) -> bool:
        """Whether the process is an arbiter, old or new."""
        if process.pid not in self._verdicts:
            self._verdicts[process.pid] = self._judge(process)
        return self._verdicts[process.pid]

    def _judge(self, process: Process) -> bool:
        if process.role.kind not in (roles.MASTER, roles.PROGRAM):
            return False
        parent = self._found.get(process.ppid)
        if parent is None:
            return process.role.kind == roles.MASTER or not self._looks_orphaned(process)
        if not self.is_arbiter(parent):
            return False
        environment = self._environment(process.pid)
        if environment and process.role.kind == roles.PROGRAM:
            return environment.get("GUNICORN_PID") == str(process.ppid)
        # A title overwrites the environment; a fork carries its parent's title for a moment, so "master" alone is no proof.
        return process.pid in self._children

    def _looks_orphaned(self, process: Process) -> bool:
        """A worker without a title whose arbiter was killed: no children, no group of its own, a stranger for a parent."""
        if process.pid in self._children or process.pgrp == process.pid:
            return False
        return self._parent_group(process.ppid) != process.pgrp

    def _tree(self, root: Process) -> Tree:
        workers: list[Process] = []
        successors: list[Process] = []
        waiting = [root]
        while waiting:
            for child in self._children.get(waiting.pop().pid, ()):
                if child.role.kind == roles.DIRTY_ARBITER:
                    waiting.append(child)
                    workers.append(child)
                elif self.is_arbiter(child):
                    waiting.append(child)
                    successors.append(child)
                else:
                    workers.append(child)
        return Tree(root, tuple(sorted(workers)), tuple(sorted(successors)))


def _group_of(pid: int) -> Optional[int]:
    now = procfs.stat(pid)
    return now.pgrp if now else None


def all_trees() -> tuple[list[Tree], list[Process]]:
    """(every tree, every orphan) on this machine now."""
    family = Family(candidates())
    return family.trees(), family.orphans()
