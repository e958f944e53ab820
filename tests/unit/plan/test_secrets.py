"""What must not be written: command lines that a server tells."""

from __future__ import annotations

import pytest

from toolkit.plan.secrets import mask_command, mask_told


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("gunicorn --env DB_PASSWORD=hunter2 -w 2 app:app", "gunicorn --env DB_PASSWORD=*** -w 2 app:app"),
        ("gunicorn app:app --api-key hunter2 -b :80", "gunicorn app:app --api-key *** -b :80"),
        (
            "python -m gunicorn --certfile x.pem --keyfile y.pem",
            "python -m gunicorn --certfile x.pem --keyfile y.pem",
        ),
        ("gunicorn -e X=postgres://https://u:hunter2@db/x", "gunicorn -e X=postgres://https://***@db/x"),
        ("gunicorn: worker [shop]", "gunicorn: worker [shop]"),
    ],
)
def test_a_command_line_loses_the_values_of_secrets(given: str, written: str) -> None:
    assert mask_command(given) == written
    assert mask_told({"cmdline": [given], "pid": 1}) == {"cmdline": [written], "pid": 1}
