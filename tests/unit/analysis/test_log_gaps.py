"""What "What is missing" says of logs: those that gave nothing, and damaged records of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.run_folders import RunFolderBuilder
from tests.server_logs import ServerLogs
from toolkit.analysis.results import read_results

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def builder(tmp_path: Path) -> RunFolderBuilder:
    builder = RunFolderBuilder(tmp_path)
    builder.server("app", {})
    return builder


@pytest.fixture
def logs(builder: RunFolderBuilder) -> ServerLogs:
    return ServerLogs(builder.run, "app")


def missing(builder: RunFolderBuilder) -> str:
    return "\n".join(read_results(builder.build()).summary["missing"])


def test_a_log_of_the_plan_that_gave_nothing_is_missing(builder: RunFolderBuilder, logs: ServerLogs) -> None:
    logs.block(logs.source("/var/log/shop/a.log"), 1, "one\n")
    logs.source("/run/pipe", note="it is a named pipe")
    logs.source("/var/log/other/*.log", note="no file has such a name yet")
    logs.source("/var/log/shop/*.log", note="no file has such a name yet")  # one came later: a.log
    logs.source("/var/log/quiet.log")
    logs.source("nosuch.service", kind="journal")
    logs.line(logs.source("/tmp/nope.log", start_s=None), 0, "start", note="it is not there yet")
    logs.source("/var/log/shop/found.log", found="--error-logfile")  # nobody named it

    said = missing(builder)
    assert "the log /run/pipe (named in the plan) was not followed: it is a named pipe." in said
    assert (
        "the log /var/log/other/*.log (named in the plan) was not followed: no file has such a name" in said
    )
    assert "nothing was read of /var/log/quiet.log (named in the plan): nothing was written to it." in said
    assert "nothing was read of nosuch.service (named in the plan): nothing was written to it." in said
    assert "nothing was read of /tmp/nope.log (named in the plan): there was no such file." in said
    for fine in ("a.log", "/var/log/shop/*.log", "found.log"):
        assert f"{fine} " not in said


@pytest.mark.parametrize("damage", [b"\x93\x00\xff\xfe garbage \x01", b'{"a": 1}', b"[" * 100_000])
def test_an_unreadable_list_of_logs_is_missing(
    builder: RunFolderBuilder, logs: ServerLogs, damage: bytes
) -> None:
    logs.block(logs.source(), 1, "one\n")
    builder.run.server("app").log_sources.write_bytes(damage)

    assert "servers/app/logs/sources.json cannot be read: which logs were followed is not known" in missing(
        builder
    )


def test_unreadable_entries_of_the_list_are_counted(builder: RunFolderBuilder, logs: ServerLogs) -> None:
    logs.block(logs.source(), 1, "one\n")
    path = builder.run.server("app").log_sources
    path.write_bytes(path.read_bytes()[:-1] + b', 7, {"source": "x"}]')

    assert "sources.json: 2 of its logs cannot be read" in missing(builder)


def test_an_unreadable_index_is_missing(builder: RunFolderBuilder, logs: ServerLogs) -> None:
    logs.block(logs.source(), 1, "one\n")
    builder.run.server("app").log_index.write_bytes(b"\x93\x00\xff\n\xfe garbage\n")

    said = missing(builder)
    assert "when some of its lines were written is known only by the times" in said
    assert "servers/app/logs/index.jsonl holds 2 records that cannot be read." in said


def test_whole_logs_miss_nothing(builder: RunFolderBuilder, logs: ServerLogs) -> None:
    logs.block(logs.source(), 1, "one\n")
    assert "log" not in missing(builder)
