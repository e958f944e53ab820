"""Time stamps of every form, and the zone of those that name none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.run_folders import START_NS
from tests.unit.analysis.logs.reading import one, read
from toolkit.analysis.logs.stamps import Zone, any_stamp, iso_stamp

MS = 1_000_000
HOUR_NS = 3_600_000_000_000


@pytest.mark.parametrize(
    ("text", "after_ns", "resolution_ns"),
    [
        ("2026-11-21 14:30:00 +0000", 0, 10**9),
        ("2026-11-21 15:30:00 +0100", 0, 10**9),
        ("2026-11-21T14:30:00Z", 0, 10**9),
        ("2026-11-21T14:30:00.5+00:00", 500 * MS, 10**8),
        ("2026-11-21T20:15:00.123456+05:45", 123_456_000, 1000),
        ("2026-11-21 14:30:00.123456789 UTC", 123_456_789, 1),
        ("21/Nov/2026:06:30:00 -0800", 0, 10**9),
        ("[21/Nov/2026:14:30:00 +0000]", 0, 10**9),
        (1795271400, 0, 10**9),
        ("1795271400.123", 123 * MS, MS),
        (1795271400.25, 250 * MS, 10**7),
        (1795271400123, 123 * MS, MS),
        (1795271400123456, 123_456_000, 1000),
        (1795271400123456789, 123_456_789, 1),
    ],
)
def test_a_stamp_with_a_zone(text: object, after_ns: int, resolution_ns: int) -> None:
    assert any_stamp(text) == (START_NS + after_ns, resolution_ns, True)


@pytest.mark.parametrize(
    "text", ["", "now", "2026-13-41 99:99:99", "2026-11-21", True, None, [], {}, 12, -1, 1e300, float("nan"), 10**30, "9" * 70,
             "21/Foo/2026:14:30:00 +0000", "0000-00-00 00:00:00"],
)  # fmt: skip
def test_what_is_none(text: object) -> None:
    assert any_stamp(text) is None


@pytest.mark.parametrize("hours", [-11, -3.5, 0, 1, 5.75, 13])
def test_the_zone_is_found_by_the_time_of_reading(hours: float) -> None:
    local = datetime(2026, 11, 21, 14, 30, 0, 123_000, UTC) + timedelta(hours=hours)
    event = one(f"{local:%Y-%m-%d %H:%M:%S},123 INFO ready\n")
    assert event["stamp_ns"] == START_NS + 123 * MS
    assert event["resolution_ns"] == MS


def test_a_forged_stamp_does_not_move_the_zone() -> None:
    text = "2026-11-21 15:30:00,100 INFO one\n2026-11-21 22:00:00,100 INFO forged\n2026-11-21 15:30:00,300 INFO two\n"
    stamps = [event["stamp_ns"] - START_NS for event in read(text)]
    assert [stamps[0], stamps[2]] == [100 * MS, 300 * MS]
    assert abs(stamps[1]) > HOUR_NS  # far from when it was read: the tables ignore it


def test_the_zone_may_change_for_good() -> None:
    zone = Zone()

    def read_at(text: str, after_ns: int) -> int:
        stamp = iso_stamp(text)
        assert stamp is not None
        return zone.utc_ns(stamp, START_NS + after_ns, START_NS + after_ns + MS) - START_NS

    assert read_at("2026-11-21 15:30:00", 0) == 0
    for _ in range(3):  # winter time begins
        read_at("2026-11-21 14:30:01", 10**9)
    assert read_at("2026-11-21 14:30:02", 2 * 10**9) == 2 * 10**9
