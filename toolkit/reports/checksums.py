"""`SHA256SUMS` over everything else in the run folder; what was recorded keeps the sum that it had when the run ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.recording.checksums import (
    digest,
    is_recorded,
    present_files,
    read_sums,
    recorded_sums,
    sums_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.analysis.results import Results
    from toolkit.recording.layout import RunFolder


def render(results: Results) -> Iterator[tuple[str, bytes]]:
    """One line a file, in the order of their names. A recorded file that changed since stays listed as it was, and one that came
    since is not listed."""
    run = results.run
    held = recorded_sums(run)
    fresh = [name for name in present_files(run) if not (held and is_recorded(run, name))]
    now = {name: digest(run.path / name) for name in fresh if name != run.checksums.name}
    yield run.checksums.name, sums_text(now | held)


def mismatches(run: RunFolder) -> list[str]:
    """One sentence for each file that is not as `SHA256SUMS` says, is gone, or is not listed; empty where all agree."""
    if not run.checksums.exists():
        return ["There is no SHA256SUMS: build it with `toolkit report`."]
    listed = read_sums(run)
    present = set(present_files(run)) - {run.checksums.name}
    said = [f"{name} is listed in SHA256SUMS and is gone." for name in sorted(set(listed) - present)]
    said += [f"{name} is not listed in SHA256SUMS." for name in sorted(present - set(listed))]
    for name in sorted(present & set(listed)):
        if digest(run.path / name) != listed[name]:
            said.append(f"{name} is not as SHA256SUMS says: it was changed after the report was built.")
    return said
