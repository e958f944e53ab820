"""Which commit a run is said to be of."""

from __future__ import annotations

import click
import pytest

from toolkit.commands.options import plan_of

SHA, OTHER = "0123456789abcdef0123456789abcdef01234567", "abc1234"


@pytest.mark.parametrize(
    ("environ", "option", "commit"),
    [
        ({}, None, ""),
        ({}, OTHER, OTHER),
        ({"GITHUB_SHA": SHA}, None, SHA),
        ({"CI_COMMIT_SHA": SHA}, None, SHA),
        ({"GITHUB_SHA": SHA}, OTHER, OTHER),
        ({"GITHUB_SHA": "$(no commit)"}, None, ""),
    ],
)
def test_what_was_said_comes_before_what_the_pipeline_says(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], option: str | None, commit: str
) -> None:
    for name in ("GITHUB_SHA", "CI_COMMIT_SHA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with click.Context(click.Command("load")):
        assert plan_of(None, {"commit": option}, "load").commit == commit
