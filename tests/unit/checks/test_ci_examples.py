"""The CI examples: they can be read, and what they call is there."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from toolkit.cli import cli
from toolkit.plan.loading import load_plan

ROOT = Path(__file__).resolve().parents[3]
FILES = ("github-actions.yml", "gitlab-ci.yml")


def _document(name: str) -> Any:
    return YAML(typ="safe").load((ROOT / "docs" / "ci" / name).read_text(encoding="utf-8"))


def _lines(name: str) -> list[str]:
    """The shell lines of one example."""
    document = _document(name)
    if "jobs" in document:
        steps = document["jobs"]["load"]["steps"]
        return [step["run"] for step in steps if "run" in step]
    job = document["load"]
    return [*job["before_script"], *job["script"], *job["after_script"]]


@pytest.mark.parametrize("name", FILES)
def test_every_line_is_one_that_works_here(name: str) -> None:
    lines = _lines(name)
    assert len(lines) == 4
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for line in lines:
        words = shlex.split(line, comments=True)
        if words[0] == "make":
            assert re.search(rf"^{words[1]}:", makefile, re.MULTILINE)
            continue
        assert words[:3] == [".venv/bin/python", "-m", "toolkit"]
        _is_known(words[3:])


def test_the_line_before_a_deployment() -> None:
    script = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["scripts"]["pre-deploy"]
    words = shlex.split(script)
    assert words[:3] == [".venv/bin/python", "-m", "toolkit"]
    _is_known([*words[3:], "plans/demo.yml"])
    assert "npm run --silent pre-deploy -- plans/staging.yml && ./deploy.sh" in (
        ROOT / "README.md"
    ).read_text(encoding="utf-8")


def test_what_the_examples_keep_is_what_a_run_leaves() -> None:
    job = _document("gitlab-ci.yml")["load"]
    assert job["artifacts"]["reports"]["junit"] == "reports/*/junit.xml"
    assert job["artifacts"]["when"] == "always"
    kept = next(
        step
        for step in _document("github-actions.yml")["jobs"]["load"]["steps"]
        if "upload" in step.get("uses", "")
    )
    assert "reports/" in kept["with"]["path"]
    assert kept["if"] == "always()"


def _is_known(words: list[str]) -> None:
    """Each word is a command, one of its options, or a plan that can be read."""
    command: Any = cli
    for word in words:
        if word.startswith("-"):
            known = {name for parameter in command.params for name in parameter.opts}
            assert word in known, word
        elif hasattr(command, "get_command"):
            command = command.get_command(command.make_context("toolkit", [], resilient_parsing=True), word)
            assert command is not None, word
        else:
            assert load_plan(ROOT / word, {}, {}).checks
    assert CliRunner().invoke(command, ["--help"]).exit_code == 0
