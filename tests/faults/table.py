"""The table of faults: what each cost, as measured by the tests themselves, for docs/faults.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """\
# What happens when something breaks

`make faults` wrote this table: each row is a test in `tests/faults/` with the real parts (sshd, gunicorn, py-spy, Artillery,
Locust), and its figures are those of that run. *Clean after*: seconds from the fault until nothing of ours ran on the server,
and nothing lay there but recordings that were not fetched yet; "0.0" where that was so when the command ended, "–" where nothing
was to be cleaned at that moment. *Kept*: chunks of stacks and requests in the bundle, `+ n later` those that `toolkit stop`
brought.

| fault | clean after | kept | exit code | what the run says |
|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Row:
    """One fault."""

    fault: str
    clean_after_s: float | None
    kept: str
    exit_code: int
    message: str


@dataclass
class FaultTable:
    """All rows of one test run."""

    rows: list[Row] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    """(test, reason)."""

    def write(self, path: Path) -> None:
        """Write docs/faults.md."""
        lines = [_line(row) for row in self.rows]
        text = HEAD + "".join(lines)
        if self.skipped:
            text += "\nNot tested on that machine:\n\n" + "".join(
                f"* {name}: {why}\n" for name, why in self.skipped
            )
        path.write_text(text, encoding="utf-8")


def _line(row: Row) -> str:
    clean = "–" if row.clean_after_s is None else f"{row.clean_after_s:.1f} s"
    message = row.message.replace("|", "\\|").replace("\n", " ")
    return f"| {row.fault} | {clean} | {row.kept} | {row.exit_code} | {message} |\n"
