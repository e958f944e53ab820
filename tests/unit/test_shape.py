"""What must stay true of the tree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_profile_folder_does_not_shadow_the_standard_library() -> None:
    """A package called `profile` would break cProfile, which imports the standard library's."""
    assert not list((ROOT / "profile").rglob("__init__.py"))
    code = "import cProfile, profile; print(profile.__file__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert str(ROOT) not in done.stdout


def test_no_path_of_one_machine_is_committed() -> None:
    listed = subprocess.run(
        ["git", "grep", "-nIF", str(ROOT) + "/", "--", "."], cwd=ROOT, capture_output=True, text=True
    )
    assert listed.stdout == ""
