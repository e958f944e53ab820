"""Labels: taken apart, made visible, bounded, cut."""

from __future__ import annotations

import pytest

from toolkit.reports.flamegraph_text import LONGEST, Place, fit, take_apart, visible, xml


@pytest.mark.parametrize(
    ("label", "place"),
    [
        ("handle (app/views.py:12)", Place("handle", "app/views.py", "12")),
        ("<lambda> (/srv/a (b)/x.py:3)", Place("<lambda>", "/srv/a (b)/x.py", "3")),
        ("_find (<frozen importlib._bootstrap>:1)", Place("_find", "<frozen importlib._bootstrap>", "1")),
        ("poll (select.c)", Place("poll", "select.c")),
        ("worker 4711 (process)", Place("worker 4711 (process)")),
        ("thread (139): ThreadPool_0", Place("thread (139): ThreadPool_0")),
        ("all", Place("all")),
        ("", Place("(no name)")),
        ("(x.py:1)", Place("(x.py:1)")),
    ],
)
def test_a_label_is_taken_apart(label: str, place: Place) -> None:
    assert take_apart(label) == place


def test_a_frame_shows_the_function_and_the_end_of_the_path() -> None:
    assert (
        take_apart("run (/srv/venv/lib/python3.11/site-packages/gunicorn/arbiter.py:224)").short
        == "run (arbiter.py:224)"
    )


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a\x00b\x1b[31m", r"a\x00b\x1b[31m"),
        ("user‮gpj.exe", r"user\u202egpj.exe"),
        ("a\u200bb\ufeff", r"a\u200bb\ufeff"),
        ("\ud800", r"\ud800"),
        ("line\nbreak\u2028", r"line\x0abreak\u2028"),
        ("\ufffe", r"\ufffe"),
        ("naïve_日本語", "naïve_日本語"),
    ],
)
def test_what_cannot_be_seen_is_written_out(hostile: str, shown: str) -> None:
    assert visible(hostile) == shown


def test_markup_is_text() -> None:
    assert xml("</script>]]>&\"'") == "&lt;/script&gt;]]&gt;&amp;&quot;&#39;"


def test_a_long_name_keeps_both_ends_and_says_how_long_it_was() -> None:
    function = take_apart(f"start{'x' * 10_000}end (a.py:1)").function
    assert function.startswith("startx")
    assert function.endswith("end [10008 characters]")
    assert len(function) < LONGEST + 40


@pytest.mark.parametrize(
    ("text", "room", "shown"),
    [
        ("handle", 6, "handle"),
        ("handle", 5, "hand…"),
        ("handle", 2, ""),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
    ],
)
def test_a_label_is_cut_to_its_room(text: str, room: int, shown: str) -> None:
    assert fit(text, room) == shown
