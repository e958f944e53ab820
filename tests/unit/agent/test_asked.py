"""What the controller may ask for; what it may not is refused with a sentence."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

asked = import_module("asked")
faults = import_module("faults")


def test_defaults_of_watch() -> None:
    assert asked.watch({"op": "watch", "interval_s": 1, "logs": {}}) == (
        1.0,
        {"find": True, "files": [], "units": [], "limit_bytes": 50_000_000},
    )
    assert asked.watch({"op": "watch", "interval_s": None, "logs": None}) == (None, None)


def test_all_of_watch() -> None:
    logs = {
        "find": False,
        "files": ["/var/log/web.log", "/var/log/web.log", "/a b"],
        "units": ["web@1.service", "a\\x2db.service"],
        "limit_bytes": 1000,
    }
    told = asked.watch({"interval_s": 0.5, "logs": logs})
    assert told.interval_s == 0.5
    assert told.logs == {**logs, "files": ["/var/log/web.log", "/a b"]}


@pytest.mark.parametrize(
    "message",
    [
        {"interval_s": 0},
        {"interval_s": -1},
        {"interval_s": 0.01},
        {"interval_s": 1e9},
        {"interval_s": float("nan")},
        {"interval_s": float("inf")},
        {"interval_s": "1"},
        {"interval_s": True},
        {"interval_s": []},
        {"logs": []},
        {"logs": "all"},
        {"logs": {"find": 1}},
        {"logs": {"files": "/var/log/x"}},
        {"logs": {"files": ["relative"]}},
        {"logs": {"files": ["/nul\0byte"]}},
        {"logs": {"files": [5]}},
        {"logs": {"files": ["/" + "x" * 5000]}},
        {"logs": {"files": ["/x"] * 101}},
        {"logs": {"units": ["--output=cat"]}},
        {"logs": {"units": ["a b.service"]}},
        {"logs": {"units": ["a\n.service"]}},
        {"logs": {"units": ["web.service\n"]}},
        {"logs": {"units": [""]}},
        {"logs": {"limit_bytes": 0}},
        {"logs": {"limit_bytes": 1e15}},
        {"logs": {"limit_bytes": "50 MB"}},
    ],
)
def test_what_is_refused(message: dict[str, Any]) -> None:
    with pytest.raises(faults.Fault) as refused:
        asked.watch(message)
    assert refused.value.code == "protocol"
    assert not refused.value.fatal
