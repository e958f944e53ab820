"""What command lines, as the kernel showed them, say about a process."""

from __future__ import annotations

from importlib import import_module

import pytest

roles = import_module("roles")
procfs = import_module("procfs")

SHOWN = [
    # (the kernel's bytes, kind, name); kind None: not gunicorn's
    (b"gunicorn: master [shop.wsgi]\0\0\0\0", "master", "shop.wsgi"),
    (b"gunicorn: worker [shop.wsgi]", "worker", "shop.wsgi"),
    (b"gunicorn: master [a [b] c]     ", "master", "a [b] c"),
    (b"gunicorn: dirty-arbiter\0\0", "dirty-arbiter", ""),
    (b"gunicorn: dirty-worker [shop]\0", "dirty-worker", "shop"),
    (b"/usr/bin/python3\0/srv/venv/bin/gunicorn\0-w\x004\0shop:app\0", "program", "shop:app"),
    (b"/usr/bin/python3.11\0-m\0gunicorn\0--name=shop\0shop:app\0", "program", "shop"),
    (b"python3\0-uIm\0gunicorn\0-n\0shop\0a:b\0", "program", "shop"),
    (b"python3\0-X\0dev\0-W\0ignore\0-mgunicorn.app.wsgiapp\0a:b\0", "program", "a:b"),
    (b"python3.13t\0/usr/bin/gunicorn\0a:b\0", "program", "a:b"),
    (b"/usr/bin/python3\0/usr/bin/gunicorn3\0a:b\0", "program", "a:b"),
    (b"/nix/store/x/bin/python3\0/nix/store/y/bin/.gunicorn-wrapped\0a:b\0", "program", "a:b"),
    (b"gunicorn\0a:b\0--reload\0-b\x00127.0.0.1:8000\0", "program", "a:b"),
    (
        b"/usr/bin/python3\0/srv/venv/bin/gunicorn\0--reload\0-D\0-k\0gthread\0shop:app\0",
        "program",
        "shop:app",
    ),
    (b"/usr/bin/python3\0/srv/lib/python3.11/site-packages/gunicorn/__main__.py\0a:b\0", "program", "a:b"),
    (b"/bin/sh\0-c\0gunicorn -w 4 shop:app\0", None, ""),
    (b"su\0-\0www\0-c\0gunicorn shop:app\0", None, ""),
    (b"sudo\0-u\0www\0gunicorn\0shop:app\0", None, ""),
    (b"vim\0/etc/gunicorn.conf.py\0", None, ""),
    (b"/usr/bin/python3\0/usr/bin/editor.py\0gunicorn\0", None, ""),
    (b"/usr/bin/python3\0-c\0import gunicorn\0", None, ""),
    (b"/usr/bin/python3\0-m\0pytest\0gunicorn\0", None, ""),
    (b"/usr/bin/python3\0/srv/venv/bin/gunicornc\0", None, ""),
    (b"/usr/bin/python3\0/srv/gunicorn/manage.py\0", None, ""),
    (b"grep\0gunicorn: master\0", None, ""),
    (b"tail\0-f\0gunicorn\0", None, ""),
    (b"python3\0-m\0", None, ""),
    (b"python3\0", None, ""),
    (b"", None, ""),
]


@pytest.mark.parametrize(("raw", "kind", "name"), SHOWN)
def test_a_command_line_shows_its_role(raw: bytes, kind: str | None, name: str) -> None:
    role = roles.role_of(procfs.argv(raw))

    assert (role.kind if role else None, role.name if role else "") == (kind, name)


def test_settings_are_read_in_every_spelling() -> None:
    settings = roles.settings_of(
        [
            "-b",
            "127.0.0.1:8000",
            "--bind=[::1]:8001",
            "-w4",
            "--threads",
            "8",
            "--reuse-port",
            "-p",
            "/run/g.pid",
            "a:b",
            "extra",
        ]
    )

    assert settings == {
        "bind": ["127.0.0.1:8000", "[::1]:8001"],
        "workers": "4",
        "threads": "8",
        "pidfile": "/run/g.pid",
        "app": "a:b",
    }


@pytest.mark.parametrize("name", ["(sd-pam)", "a) R 1 (b", "x y", "gunicorn: maste"])
def test_a_process_name_may_hold_anything(name: str) -> None:
    text = f"42 ({name}) S 7 42 42 0 -1 4194560 1 0 0 0 3 4 0 0 20 0 6 0 123456 1 2"

    assert procfs.parse_stat(text.encode()) == procfs.Stat(42, "S", 7, 42, 6, 123456)


def test_a_broken_stat_is_nothing() -> None:
    assert procfs.parse_stat(b"42 (x S") is None
