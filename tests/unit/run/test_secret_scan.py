"""A secret in a run folder is found, however it is written there."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from toolkit.plan.model import Plan
from toolkit.run.secret_scan import files_with, secrets_of

SECRET = 'pässword "1"/2'


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        json.dumps({"a": SECRET}),
        json.dumps({"a": SECRET}, ensure_ascii=False),
        "http://me:p%C3%A4ssword%20%221%22%2F2@shop/",
        "x" * ((1 << 20) - 5) + SECRET,  # across two blocks
    ],
)
def test_it_is_found_in_plain_files_and_in_packed_ones(tmp_path: Path, text: str) -> None:
    (tmp_path / "load").mkdir()
    (tmp_path / "load" / "console.log").write_text(text, encoding="utf-8")
    (tmp_path / "requests.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "plan.yml").write_text("name: shop\n", encoding="utf-8")
    assert files_with(tmp_path, [SECRET]) == [Path("load/console.log"), Path("requests.jsonl.gz")]


def test_what_is_torn_is_looked_at_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = gzip.compress((SECRET + "\n" * 3_000_000).encode())
    (tmp_path / "torn.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "none.gz").write_bytes(b"no gzip")
    assert files_with(tmp_path, [SECRET]) == [Path("torn.gz")]


def test_nothing_is_found_by_chance(tmp_path: Path) -> None:
    (tmp_path / "plan.yml").write_text("name: shop\n", encoding="utf-8")
    assert files_with(tmp_path, ["shop", "", "another secret"]) == []


def test_links_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text(SECRET, encoding="utf-8")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "link").symlink_to(tmp_path / "outside")
    assert files_with(tmp_path / "run", [SECRET]) == []


def test_passwords_in_the_plans_addresses_are_known() -> None:
    plan = Plan.model_validate({"version": 1, "name": "a", "target": "http://me:s%2Fecret1@127.0.0.1:1"})
    assert secrets_of(plan) == ["s/ecret1"]
