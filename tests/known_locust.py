"""A Locust that is not there: locustfiles are read, and never played."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.engines import locust, locust_file

if TYPE_CHECKING:
    from types import ModuleType

    import pytest


def know_locust(monkeypatch: pytest.MonkeyPatch, *places: ModuleType) -> None:
    """Have the engine, and `places` that look for it by themselves, find one; every file has one class, Clerk, of one task."""
    for place in (locust, locust_file, *places):
        monkeypatch.setattr(place, "find_locust", lambda: ("/l/python", "2.47.0"))
    found = {
        "users": [{"name": "Clerk", "host": None, "tasks": 1}],
        "shape": None,
        "problem": "",
        "line": None,
    }
    monkeypatch.setattr(locust_file, "_asked", lambda *_: found)
