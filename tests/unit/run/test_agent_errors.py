from __future__ import annotations

import pytest

from toolkit.run.agent_errors import error_of


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        ("no-gunicorn", 69),
        ("ambiguous", 2),
        ("not-gunicorn", 2),
        ("not-permitted", 77),
        ("no-space", 1),
        ("no-exec", 1),
        ("no-samples", 1),
        ("unsupported", 1),
        ("gone", 69),
        ("internal", 1),
        ("of a newer agent", 1),
    ],
)
def test_each_code_has_its_exit_code_and_a_cure(code: str, exit_code: int) -> None:
    error = error_of({"type": "error", "code": code, "message": "It went wrong."}, "ssh://web:22")
    assert error.exit_code == exit_code
    assert error.message == "ssh://web:22: It went wrong."
    assert error.hint


def test_several_are_listed_with_what_tells_them_apart() -> None:
    rows = [
        {"pid": 10, "name": "shop", "user": "www", "listen": ["127.0.0.1:8000", "unix:/x/gunicorn.ctl"]},
        {"pid": 20, "name": None, "user": None, "listen": [], "unit": "b.service"},
    ]
    message = error_of({"code": "ambiguous", "message": "Several run", "all": rows}, "local:").message
    assert "PID 10 'shop' of www on 127.0.0.1:8000;" in message
    assert "PID 20 of an unknown user on no known port, unit b.service." in message


@pytest.mark.parametrize("rows", [None, "x", 7, [1, None, "a"], {}, [{"pid": None, "listen": "x"}]])
def test_a_list_that_is_none_does_no_harm(rows: object) -> None:
    assert "Several" in error_of({"code": "ambiguous", "message": "Several", "all": rows}, "a").message
