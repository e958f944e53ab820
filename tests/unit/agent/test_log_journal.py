"""Entries as journalctl of systemd 252 printed them (a text, bytes that are no UTF-8, several lines) become lines of ours."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import pytest

journal = import_module("log_journal")

CAPTURED = (Path(__file__).parent / "captured" / "journal.jsonl").read_bytes().splitlines()


def test_an_entry_keeps_its_time_its_process_and_every_byte_of_its_message() -> None:
    entries = [json.loads(journal.entry_of(line, 0)) for line in CAPTURED]
    assert entries[0] == {
        "t_us": 1795233879763328,
        "pid": 14157,
        "priority": 6,
        "identifier": "me",
        "message": "[2026-11-21 04:04:39 +0000] [14157] [INFO] Booting worker with pid: 14160",
    }
    assert entries[1]["message"].encode("utf-8", "surrogateescape") == b"a\xff\xfe bin"
    assert entries[2]["message"] == "line one\nline two\n  three é"
    assert all(journal.entry_of(line, 0).count(b"\n") == 1 for line in CAPTURED)


def test_entries_from_before_the_start_are_left_out() -> None:
    since_us = 1795233879766298
    assert [journal.entry_of(line, since_us) is None for line in CAPTURED] == [True, True, False]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('{"MESSAGE":null}', ""),
        ('{"MESSAGE":["first","second"],"_PID":["7","8"]}', "first"),
        ('{"MESSAGE":[[104,105],"x"]}', "hi"),
        ('{"MESSAGE":{"a":1},"_PID":"-5","PRIORITY":"999999999999999999999"}', ""),
        ('{"MESSAGE":[1,2,999]}', ""),
        ('{"MESSAGE":"<script>\\u001b[2J"}', "<script>\x1b[2J"),
    ],
)
def test_odd_entries_are_entries(entry: str, message: str) -> None:
    assert json.loads(journal.entry_of(entry.encode(), 0))["message"] == message


@pytest.mark.parametrize(
    "line", [b"", b"-- No entries --", b"[1]", b'{"a":1}', b"\xff\xfe", b'{"MESSAGE":"cut', b"[" * 100_000]
)
def test_what_is_no_entry_is_passed_over(line: bytes) -> None:
    assert journal.entry_of(line, 0) is None


def test_a_unit_without_a_suffix_is_a_service() -> None:
    assert journal.unit_name("web") == "web.service"
    assert journal.unit_name("web@1") == "web@1.service"
    assert journal.unit_name("web.socket") == "web.socket"
