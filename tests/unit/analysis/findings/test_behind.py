"""Which servers requests reach through others alone, as the access logs have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from toolkit.analysis.database import connect, rows

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("joined", "lines", "behind"),
    [
        (
            {"r": "gateway", "s": "gateway"},
            {"gateway": "rs", "order": "rs", "stock": "s"},
            {"order", "stock"},
        ),
        ({"r": "a", "s": "b"}, {"a": "rs", "b": "s"}, set()),  # a proxy sent `s` twice
        ({"r": "a", "s": "a"}, {"a": "rs", "b": "xy"}, set()),  # others' requests
        (
            {"r": "a", "s": None},
            {"a": "r", "b": ""},
            set(),
        ),  # nothing came: what a proxy that leaves one out does
    ],
    ids=["services behind a gateway", "equals behind a proxy", "a server of others", "one left out"],
)
def test_behind(
    tmp_path: Path, joined: dict[str, str | None], lines: dict[str, str], behind: set[str]
) -> None:
    with connect(tmp_path) as connection:
        connection.execute("CREATE TABLE requests (request_no BIGINT, request_id VARCHAR)")
        connection.execute("CREATE TABLE joined (request_no BIGINT, server VARCHAR)")
        connection.execute("CREATE TABLE log_events (server VARCHAR, kind VARCHAR, request_id VARCHAR)")
        for number, (request_id, server) in enumerate(joined.items()):
            connection.execute("INSERT INTO requests VALUES (?, ?)", [number, request_id])
            connection.execute("INSERT INTO joined VALUES (?, ?)", [number, server])
        for server, ids in lines.items():
            for request_id in ids:
                connection.execute("INSERT INTO log_events VALUES (?, 'access', ?)", [server, request_id])
        assert {row["server"] for row in rows(connection, "finding_behind")} == behind
