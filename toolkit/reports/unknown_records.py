"""Renderer: exports/<load>-unknown.jsonl, every record of which it is not known whether the service has it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from toolkit.reports.terminal_text import file_part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.analysis.results import Results


def name_of(load: str) -> str:
    """The file's name, relative to the run folder."""
    return f"exports/{file_part(load)}-unknown.jsonl"


def render(results: Results) -> Iterator[tuple[str, bytes]]:
    """Yield a file for each scenario that has any: `{"record", "line", "sent_ns", "request_id", "problem"}` a line."""
    for entry in results.summary["traffic"]:
        if entry["unknown"]:
            ledger = results.run.load(entry["load"]).ledger
            lines = (json.dumps(asdict(one)) for one in ledger.unknown(ledger.read()))
            yield name_of(entry["load"]), "".join(f"{line}\n" for line in lines).encode("ascii")
