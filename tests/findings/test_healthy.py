"""A healthy service shows nothing, and every rule says why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.findings.conftest import Found

pytestmark = [pytest.mark.needs_artillery, pytest.mark.timeout(240)]

BY_THE_HOST = {"host-cpu", "generator"}
"""What other processes of this machine may show, and truly so."""


def test_nothing_stands_out(healthy: Found) -> None:
    rules = {row["rule"] for row in healthy.summary["findings"]["found"]} - BY_THE_HOST
    assert rules <= {"healthy"}, healthy.told
    if not rules:
        assert healthy.of("host-cpu") or healthy.of("generator")
    else:
        assert healthy.one("healthy")["title"] == "Healthy: nothing stands out"


@pytest.mark.parametrize(
    "rule",
    [
        "errors",
        "restarts",
        "pool-exhausted",
        "too-few-workers",
        "cpu-bound",
        "gil-contention",
        "waiting",
        "host-memory",
        "leak",
        "uneven-workers",
    ],
)
def test_it_was_looked_for(healthy: Found, rule: str) -> None:
    assert healthy.ruled_out(rule), healthy.told
