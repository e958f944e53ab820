"""Where gunicorn was told to log is read from its arguments and its configuration, which is never run."""

from __future__ import annotations

import time
from importlib import import_module

import pytest

settings = import_module("log_settings")
config = import_module("log_config")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--access-logfile", "a.log", "app"], {"accesslog": "a.log"}),
        (["--access-logfile=a.log", "--error-logfile", "-"], {"accesslog": "a.log", "errorlog": "-"}),
        (["--log-file=e.log"], {"errorlog": "e.log"}),
        (["--error", "e.log", "--access-logfi=a"], {"errorlog": "e.log", "accesslog": "a"}),
        (
            ["--access-logformat", "%(h)s -x", "-cconf.py"],
            {"access_log_format": "%(h)s -x", "config": "conf.py"},
        ),
        (["-c", "conf.py", "--config=other.py"], {"config": "other.py"}),
        (["--log-syslog", "app:application"], {"syslog": True}),
        (["--log-syslog-to", "udp://x", "--log-level", "debug", "--log-config", "x"], {}),
        (["-w", "4", "-b", "--access-logfile", "app"], {"workers": "4"}),
        (
            ["--threads=3", "--max-requests", "9", "--max-requests-jitter", "5"],
            {"threads": "3", "max_requests": "9"},
        ),
        (["-k", "uvicorn_worker.UvicornWorker"], {"worker_class": "uvicorn_worker.UvicornWorker"}),
        (["--access-logfile"], {"accesslog": ""}),
    ],
)
def test_arguments(arguments: list[str], expected: dict[str, object]) -> None:
    found = settings.of_arguments(arguments)
    assert {name: value for name, (value, _) in found.items()} == expected


def values(text: str) -> tuple[dict[str, object], set[str]]:
    found: tuple[dict[str, object], set[str]] = config.literals(text.encode(), settings.WANTED)
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('accesslog = "a.log"', "a.log"),
        ("accesslog = '-'  # the console\n", "-"),
        ("import os\naccesslog: str = 'a' 'b'\n", "ab"),
        ("accesslog = (\n  'a'  # first\n  'b'\n)\nx = 1\n", "ab"),
        ("accesslog = 'a' + r'\\b'", "a\\b"),
        ("accesslog = '''a'''; errorlog = 'e'", "a"),
        ("accesslog = None", None),
        ("accesslog = 'old'\naccesslog = 'new'", "new"),
        ("accesslog = get()\naccesslog = 'new'", "new"),
        ("accesslog = 'é'", "é"),
        ("def f():\n    return 1\naccesslog = 'a'", "a"),
    ],
)
def test_literals_in_a_configuration(text: str, expected: object) -> None:
    found, unknown = values(text)
    assert found["accesslog"] == expected
    assert "accesslog" not in unknown


@pytest.mark.parametrize(
    "text",
    [
        'accesslog = folder + "/a.log"',
        'accesslog = f"{folder}/a.log"',
        'accesslog = os.path.join("logs", "a.log")',
        'accesslog = b"a.log"',
        'accesslog = "%s/a" % folder',
        'accesslog = "a".upper()',
        'accesslog = "a"\nif debug:\n    accesslog = "-"',
        'accesslog = "a"\naccesslog += "b"',
        "accesslog = ['a']",
        "accesslog = 'a' if x else 'b'",
        "accesslog = 'a' * 10**9",
    ],
)
def test_what_only_running_it_would_tell_is_unknown(text: str) -> None:
    found, unknown = values(text)
    assert "accesslog" not in found
    assert unknown == {"accesslog"}


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').abort()\nraise SystemExit\nwhile True: pass\naccesslog = 'a'\n",
        "accesslog = 'a'\n" + "(" * 50_000,
        "accesslog = 'a'\n" + "-" * 100_000 + "1",
        "accesslog = 'a'\n" + "[" * 100_000 + "]" * 100_000,
        "accesslog = 'a'\n" + ("-" * 1_990 + "\n") * 50,
        "accesslog = 'a'\n'''never closed",
        "accesslog = 'a'\n\x00\x00\x00",
        "accesslog = 'a'\n  odd\n indentation\n",
        "accesslog = 'a'\nmatch x:\n    case {**rest}: pass\n",
        "accesslog = 'a'\n" + "\\\n" * 60_000,
        "accesslog = 'a'\nx = '" + "y" * 10_000_000 + "'",
        "accesslog = 'a'\n$%&§ !!",
    ],
)
def test_a_hostile_configuration_is_neither_run_nor_a_crash(text: str) -> None:
    started = time.monotonic()
    found, _ = values(text)
    assert found.get("accesslog", "a") == "a"
    assert time.monotonic() - started < 2


def test_a_configuration_that_is_no_text_is_nothing() -> None:
    for data in (b"", b"\xff\xfe\x00", b"# coding: nonsense\naccesslog = 'a'", bytes(range(256)) * 100):
        assert config.literals(data, settings.WANTED) == ({}, set())


def made(known: bool = True, unknown: tuple[str, ...] = (), **given: str) -> str | None:
    held = {name: settings.Setting(value, "x") for name, value in given.items()}
    found: str | None = settings.Settings(known, held, dict.fromkeys(unknown, "x"), "/", "", []).access_format
    return found


def test_the_form_of_access_lines_is_told_only_where_it_is_known() -> None:
    assert made() == settings.DEFAULT_FORMAT
    assert made(access_log_format="%(m)s", worker_class="gthread") == "%(m)s"
    assert made(logger_class="shop.JsonLogger", access_log_format="%(m)s") is None
    assert made(worker_class="uvicorn.workers.UvicornWorker") is None
    assert made(worker_class="gunicorn.workers.ggevent.GeventWorker") == settings.DEFAULT_FORMAT
    assert made(unknown=("access_log_format",)) is None
    assert made(known=False) is None


def test_relative_paths_are_those_of_the_arbiter() -> None:
    assert settings.joined("/srv/app", "../logs/a") == "/srv/logs/a"
    assert settings.joined("", "a") == ""
    assert settings.joined("", "/a//b") == "/a/b"


@pytest.mark.parametrize(
    ("value", "number"),
    [("4", 4), (4, 4), ("0", 0), (None, None), (True, None), ("-1", None), ("4x", None), ("9" * 30, None)],
)
def test_a_number_is_what_can_be_one(value: object, number: int | None) -> None:
    found = settings.Settings(True, {"threads": settings.Setting(value, "--threads")}, {}, "", "", [])

    assert found.number("threads") == number
    assert found.number("workers") is None
