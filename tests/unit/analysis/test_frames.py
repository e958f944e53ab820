"""Whose code a frame is."""

from __future__ import annotations

import pytest

from toolkit.analysis.frames import Owner, function_of, line_of, waits_for_work

LIB = "/usr/lib/python3.12"
SITE = "/srv/venv/lib/python3.11/site-packages"


@pytest.mark.parametrize(
    ("label", "owner", "short"),
    [
        ("handle (/srv/shop/views.py:12)", Owner.APPLICATION, "/srv/shop/views.py"),
        ("handle (/srv/gunicorn/views.py:12)", Owner.APPLICATION, "/srv/gunicorn/views.py"),
        (f"run ({SITE}/gunicorn/app/base.py:1)", Owner.SERVER, "gunicorn/app/base.py"),
        (f"full_dispatch_request ({SITE}/flask/app.py:9)", Owner.SERVER, "flask/app.py"),
        (f"execute ({SITE}/sqlalchemy/engine/base.py:9)", Owner.LIBRARY, "sqlalchemy/engine/base.py"),
        (f"simple_websocket ({SITE}/six.py:9)", Owner.LIBRARY, "six.py"),
        ("loads (/usr/lib/python3.11/json/__init__.py:346)", Owner.STANDARD, "json/__init__.py"),
        ("wait (/usr/lib/python3.13t/threading.py:1)", Owner.SERVER, "threading.py"),
        ("f (/usr/lib/python3/dist-packages/flask/app.py:1)", Owner.SERVER, "flask/app.py"),
        ("<module> (/srv/venv/bin/gunicorn:8)", Owner.SERVER, "/srv/venv/bin/gunicorn"),
        ("_run (<frozen importlib._bootstrap>:1)", Owner.SERVER, "<frozen importlib._bootstrap>"),
        ("join (<frozen posixpath>:90)", Owner.STANDARD, "<frozen posixpath>"),
        ("render (<template>)", Owner.APPLICATION, "<template>"),
        ("[native]", Owner.APPLICATION, ""),
    ],
)
def test_the_path_tells_whose_code_it_is(label: str, owner: Owner, short: str) -> None:
    function = function_of(label)

    assert (function.owner, function.short_file) == (owner, short)


def test_lines_of_one_function_are_one_function() -> None:
    assert function_of("f (/a.py:1)") is function_of("f (/a.py:22)")
    assert function_of("f (/a.py:1)") is not function_of("f (/b.py:1)")
    assert (line_of("f (/a.py:22)"), line_of("f (/a.py)"), line_of("f")) == (22, None, None)


@pytest.mark.parametrize(
    "frames",
    [
        (f"run ({LIB}/threading.py:1)", f"_worker ({LIB}/concurrent/futures/thread.py:89)"),
        (
            f"SyncWorker.run ({SITE}/gunicorn/workers/sync.py:1)",
            f"SyncWorker.wait ({SITE}/gunicorn/workers/sync.py:32)",
        ),
        (f"run_for_one ({SITE}/gunicorn/workers/sync.py:70)", f"wait ({SITE}/gunicorn/workers/sync.py:32)"),
        (
            f"ThreadWorker.run ({SITE}/gunicorn/workers/gthread.py:1)",
            f"EpollSelector.select ({LIB}/selectors.py:451)",
        ),
        (f"_run_once ({LIB}/asyncio/base_events.py:1845)", f"select ({LIB}/selectors.py:469)"),
        (f"Hub.run ({SITE}/gevent/hub.py:631)",),
    ],
)
def test_who_waits_for_work_waits_in_his_pool_or_loop(frames: tuple[str, ...]) -> None:
    assert waits_for_work(frames)


@pytest.mark.parametrize(
    "frames",
    [
        (),
        (f"_worker ({LIB}/concurrent/futures/thread.py:89)", "work (/srv/a.py:1)"),
        ("_worker (/srv/concurrent/futures/thread.py:1)",),
        (f"WorkerTmp.notify ({SITE}/gunicorn/workers/workertmp.py:42)",),
        (f"SyncWorker.accept ({SITE}/gunicorn/workers/sync.py:26)",),
        ("ask (/srv/a.py:1)", f"EpollSelector.select ({LIB}/selectors.py:451)"),  # an application's own
        (f"EpollSelector.select ({LIB}/selectors.py:451)",),
        ("run (/srv/jobs/hub.py:1)",),
    ],
)
def test_who_does_something_else_does_not_wait_for_work(frames: tuple[str, ...]) -> None:
    assert not waits_for_work(frames)
