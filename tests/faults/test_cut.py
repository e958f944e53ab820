"""A run folder of which some file was cut at a random byte: a disk that was full, a copy that broke off."""

from __future__ import annotations

import json
import random
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.faults.table import Row
from tests.integration.commands.calling import HTTP, PLAN, phases

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.table import FaultTable
    from tests.integration.commands.calling import Toolkit

pytestmark = [pytest.mark.needs_artillery, pytest.mark.needs_sshd, pytest.mark.slow_fault]

CUTS = 16
SEED = 20261201


def test_a_run_folder_is_cut_at_a_random_byte(toolkit: Toolkit, table: FaultTable) -> None:
    done = toolkit.call(
        "profile-and-load",
        PLAN,
        "--scenario",
        HTTP,
        *phases(3),
        "--chunk",
        "2s",
        "--reports",
        str(toolkit.reports),
    )
    assert done.code == 0, done.err
    chosen = random.Random(SEED)
    recorded = sorted(
        path.relative_to(toolkit.run)
        for folder in ("servers", "load", "generator")
        for path in (toolkit.run / folder).rglob("*")
        if path.is_file() and path.stat().st_size > 1
    )
    codes = set()
    for number in range(CUTS):
        name = chosen.choice(recorded)
        run = toolkit.reports / f"cut-{number}"
        shutil.copytree(toolkit.run, run)
        if number % 2:  # one that was killed has no sums
            (run / "SHA256SUMS").unlink()
        size = (run / name).stat().st_size
        with (run / name).open("r+b") as file:
            file.truncate(chosen.randrange(size))

        built = toolkit.call("report", str(run))

        assert built.code in (0, 97), (name, built.err)
        codes.add(built.code)
        assert (run / "report.html").exists(), name
        if not number % 2:
            assert any(str(name) in sentence for sentence in missing(run)), (name, missing(run))
        shutil.rmtree(run)
    table.rows.append(
        Row(
            f"the run folder cut at a random byte ({CUTS} times, one file each)",
            None,
            "all but what was cut",
            max(codes),
            "the report is built, and names the file; 97 where requests are missing",
        )
    )


def missing(run: Path) -> list[str]:
    """What the report says is missing."""
    found: list[str] = json.loads((run / "summary.json").read_bytes())["missing"]
    return found
