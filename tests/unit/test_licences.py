"""The list of licences, and what it lets pass."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "licences.py"


@pytest.fixture(scope="module")
def licences() -> Any:
    spec = spec_from_file_location("licences", SCRIPT)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_list_is_of_what_is_pinned_and_all_of_it_was_looked_at() -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, "--check", "docs/licences.md"], cwd=ROOT, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT", True),
        ("(MIT OR CC0-1.0)", True),
        ("EPL-2.0 OR GPL-2.0-or-later", True),
        ("MIT AND PSF-2.0", True),
        ("GPL-3.0-only", False),
        ("MIT AND AGPL-3.0-only", False),
        ("SSPL-1.0 OR AGPL-3.0-only", False),
        ("(unknown)", False),
    ],
)
def test_a_licence_that_nobody_has_looked_at_is_none(licences: Any, licence: str, *, allowed: bool) -> None:
    assert licences.is_allowed(licence) is allowed
