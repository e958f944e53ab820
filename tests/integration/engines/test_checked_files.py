"""What Node and Artillery themselves say of a scenario file before a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from toolkit.engines.base import LoadJob
from toolkit.engines.registry import engine

if TYPE_CHECKING:
    from pathlib import Path

FILE = """\
config:
  target: http://127.0.0.1:1
  processor: ./own.%s
  phases: [{duration: 1, arrivalCount: 1}]
  plugins: {expect: {}, nosuch: {}}
scenarios:
  - flow: [{get: {url: /}}]
"""


def job(folder: Path, suffix: str, code: str) -> LoadJob:
    (folder / f"own.{suffix}").write_text(code, encoding="utf-8")
    (folder / "own.yml").write_text(FILE % suffix, encoding="utf-8")
    return LoadJob("own", folder / "own.yml", "")


@pytest.mark.parametrize(
    ("suffix", "code"),
    [("js", "module.exports = {\n"), ("cjs", "const = 1;\n"), ("mjs", "export const a = ;\n")],
)
def test_a_processor_that_cannot_be_parsed_is_a_mistake(tmp_path: Path, suffix: str, code: str) -> None:
    (mistake,) = engine("artillery").check(job(tmp_path, suffix, code))
    assert mistake.startswith(f"{tmp_path}/own.yml:3: the processor cannot be loaded: ./own.{suffix}:")
    assert "SyntaxError: " in mistake


@pytest.mark.parametrize(
    ("suffix", "code"),
    [("js", "module.exports = {};\n"), ("js", "export const a = 1;\n"), ("ts", "const = 1;\n")],
    ids=["CommonJS", "a module", "what Node does not read by itself"],
)
def test_one_that_can_be_is_none(tmp_path: Path, suffix: str, code: str) -> None:
    assert engine("artillery").check(job(tmp_path, suffix, code)) == []


def test_a_plugin_that_is_not_there_is_worth_a_word(tmp_path: Path) -> None:
    given = job(tmp_path, "js", "")
    assert engine("artillery").check(given) == [], "Artillery runs without it"
    (remark,) = engine("artillery").remarks(given)
    assert "own.yml:5: the plugin `nosuch` is not installed (no package artillery-plugin-nosuch)" in remark
