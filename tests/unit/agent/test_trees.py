"""Telling arbiters, workers, upgrades and orphans apart by their family."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

roles = import_module("roles")
trees = import_module("trees")
choose = import_module("choose")
faults = import_module("faults")

PROGRAM = ["/usr/bin/python3", "/usr/bin/gunicorn", "-w", "2", "shop:app"]
MASTER, WORKER = ["gunicorn: master [shop]"], ["gunicorn: worker [shop]"]


def process(pid: int, ppid: int, argv: list[str], pgrp: int = 10) -> Any:
    return trees.Process(pid, ppid, pgrp, pid, tuple(argv), roles.role_of(argv))


def family(*processes: Any, environment: dict[int, str] | None = None, parent_group: int = 1) -> Any:
    """`environment` maps a PID to its GUNICORN_PID; without it none can be read."""

    def read(pid: int) -> dict[str, str] | None:
        if environment is None:
            return None
        return {"PATH": "/bin", **({"GUNICORN_PID": environment[pid]} if pid in environment else {})}

    return trees.Family({item.pid: item for item in processes}, read, lambda _: parent_group)


def shape(tree: Any) -> tuple[int, list[int], list[int]]:
    return tree.arbiter.pid, [item.pid for item in tree.workers], [item.pid for item in tree.successors]


@pytest.mark.parametrize("titles", [True, False])
def test_an_arbiter_and_its_workers(titles: bool) -> None:
    master, worker = (MASTER, WORKER) if titles else (PROGRAM, PROGRAM)
    found = family(process(10, 1, master), process(11, 10, worker), process(12, 10, worker)).trees()

    assert [shape(tree) for tree in found] == [(10, [11, 12], [])]


@pytest.mark.parametrize("readable", [True, False])
def test_an_upgrade_without_titles_is_one_tree(readable: bool) -> None:
    found = family(
        *(process(pid, ppid, PROGRAM) for pid, ppid in [(10, 1), (11, 10), (20, 10), (21, 20), (22, 20)]),
        environment={20: "10", 21: "10", 22: "10"} if readable else None,
    ).trees()

    assert [shape(tree) for tree in found] == [(10, [11, 21, 22], [20])]


def test_an_upgrade_with_titles_is_one_tree() -> None:
    found = family(
        process(10, 1, MASTER), process(11, 10, WORKER), process(20, 10, MASTER), process(21, 20, WORKER)
    ).trees()

    assert [shape(tree) for tree in found] == [(10, [11, 21], [20])]


def test_a_worker_that_has_just_been_forked_still_has_its_arbiters_title() -> None:
    found = family(process(10, 1, MASTER), process(11, 10, MASTER), environment={}).trees()

    assert [shape(tree) for tree in found] == [(10, [11], [])]


def test_a_worker_that_forks_is_no_new_arbiter() -> None:
    found = family(
        process(10, 1, PROGRAM), process(11, 10, PROGRAM), process(12, 11, PROGRAM), environment={}
    ).trees()

    assert [shape(tree) for tree in found] == [(10, [11], [])]


def test_dirty_workers_belong_to_the_tree() -> None:
    found = family(
        process(10, 1, MASTER),
        process(11, 10, WORKER),
        process(12, 10, ["gunicorn: dirty-arbiter"]),
        process(13, 12, ["gunicorn: dirty-worker [shop]"]),
    ).trees()

    assert [shape(tree) for tree in found] == [(10, [11, 12, 13], [])]


@pytest.mark.parametrize("argv", [WORKER, PROGRAM])
def test_orphans_are_no_arbiters(argv: list[str]) -> None:
    orphaned = family(process(11, 1, argv), process(12, 1, argv))

    assert orphaned.trees() == []
    assert sorted(item.pid for item in orphaned.orphans()) == [11, 12]


@pytest.mark.parametrize(("pgrp", "parent_group"), [(10, 1), (5, 5)])
def test_an_arbiter_may_have_no_workers_yet(pgrp: int, parent_group: int) -> None:
    """It leads a group (systemd, a terminal) or shares that of the script that started it."""
    found = family(process(10, 1, PROGRAM, pgrp), parent_group=parent_group).trees()

    assert [shape(tree) for tree in found] == [(10, [], [])]


def test_orphans_beside_a_new_arbiter_stay_apart() -> None:
    found = family(process(11, 1, PROGRAM), process(30, 1, PROGRAM, 30), process(31, 30, PROGRAM, 30)).trees()

    assert [shape(tree) for tree in found] == [(30, [31], [])]


def two() -> list[Any]:
    admin = ["gunicorn: master [admin]"]
    found: list[Any] = family(
        process(10, 1, MASTER), process(11, 10, WORKER), process(40, 1, admin), process(41, 40, WORKER)
    ).trees()
    return found


def test_a_name_chooses() -> None:
    tree, note = choose.chosen(two(), [], {"name": "admin"})

    assert (tree.arbiter.pid, note) == (40, None)


def test_without_a_choice_several_are_listed() -> None:
    with pytest.raises(faults.Fault) as caught:
        choose.chosen(two(), [], {})

    assert caught.value.code == "ambiguous"
    assert [item["name"] for item in caught.value.listed] == ["shop", "admin"]


@pytest.mark.parametrize(
    ("choice", "code"),
    [
        ({"name": "nobody"}, "no-gunicorn"),
        ({"pid": "x"}, "protocol"),
        ({"pid": True}, "protocol"),
        ({"pid": 4194304999}, "no-gunicorn"),
        ({"port": "http"}, "protocol"),
        ({"pid": 1, "port": 2}, "protocol"),
        ({"color": "red"}, "protocol"),
        ({"pidfile": "/nowhere/gunicorn.pid"}, "no-gunicorn"),
        ({"pidfile": "/dev/zero"}, "no-gunicorn"),
        ({"unit": "--all"}, "no-gunicorn"),
    ],
)
def test_a_choice_that_does_not_fit_says_so(choice: dict[str, Any], code: str) -> None:
    with pytest.raises(faults.Fault) as caught:
        choose.chosen(two(), [], choice)

    assert caught.value.code == code


def test_nothing_there_names_the_orphans() -> None:
    with pytest.raises(faults.Fault, match="11") as caught:
        choose.chosen([], family(process(11, 1, WORKER)).orphans(), {})

    assert caught.value.code == "no-gunicorn"


def test_a_systemd_unit_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = {
        10: ["/system.slice/shop.service"],
        40: ["/", "/system.slice/system-admin.slice/admin@blue.service"],
    }
    monkeypatch.setattr(choose.procfs, "control_groups", lambda pid: groups.get(pid, []))

    assert choose.chosen(two(), [], {"unit": "shop"})[0].arbiter.pid == 10
    assert choose.chosen(two(), [], {"unit": "shop.service"})[0].arbiter.pid == 10
    assert choose.chosen(two(), [], {"unit": "admin@blue"})[0].arbiter.pid == 40
    assert choose.unit_of(40) == "admin@blue.service"
    with pytest.raises(faults.Fault, match="sho"):
        choose.chosen(two(), [], {"unit": "sho"})


def test_a_port_chooses_and_other_users_sockets_are_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    held: dict[int, tuple[list[str], bool]] = {10: (["127.0.0.1:8000", "[::1]:8000"], True), 40: ([], False)}
    monkeypatch.setattr(choose.sockets, "of_tree", lambda tree: held[tree.arbiter.pid])

    assert choose.chosen(two(), [], {"port": 8000})[0].arbiter.pid == 10
    with pytest.raises(faults.Fault) as caught:
        choose.chosen(two(), [], {"port": 9000})
    assert "sudo" in caught.value.hint
