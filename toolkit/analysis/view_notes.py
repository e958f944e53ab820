"""Sentences on what limits a view."""

from __future__ import annotations

import math
from typing import Any

_FEW = 400
"""Samples below which half of a view is known to ±5 percentage points or worse (95 %, were they independent)."""


def notes_on(
    found: dict[str, Any],
    stands_in_for: dict[str, str],
    *,
    told: bool,
    whole: dict[str, Any] | None = None,
) -> list[str]:
    """What a reader of a view, or of one worker's part of it, must know.

    Args:
        found: the view's part of the summary; of a worker, the same of its own samples and chunks.
        stands_in_for: views that could not be recorded as themselves and were recorded as this one, with the reason.
        told: whether the agent said anything of this view.
        whole: of a worker, `found` of the whole view: whose the dropped stacks were is not known.
    """
    notes = [sentence(found["reason"])] if found["reason"] else []
    notes += [
        f"It stands in for the {other} view, which would not be true: {sentence(reason)}"
        for other, reason in stands_in_for.items()
    ]
    if not told:
        notes.append("Whether this view is true on this server was not recorded.")
    seen = found["samples"] + found["waiting_samples_left_out"]
    if found["waiting_samples_left_out"]:
        share = found["waiting_samples_left_out"] / seen * 100
        notes.append(
            f"{_samples(found['waiting_samples_left_out'])} ({share:.1f} %) of threads that wait for work were left "
            "out: py-spy takes them for active."
        )
    notes += _dropped(found, "") if whole is None else _dropped(whole, " of all processes together")
    if 0 < found["samples"] < _FEW:
        error = 196 * 0.5 / math.sqrt(found["samples"])
        notes.append(
            f"Only {_samples(found['samples'])}: a share may be off by {error:.0f} percentage points. A higher rate or a longer "
            "run says more."
        )
    if found["late_chunks"]:
        notes.append(
            f"The recorder fell behind in {found['late_chunks']} of {found['chunks']} chunks, by up to "
            f"{found['late_max_s']:.1f} s: there the rate was lower than said."
        )
    if found["unlisted_chunks"]:
        notes.append(
            f"When {found['unlisted_chunks']} of its {found['chunks']} chunks were taken is not known."
        )
    return notes


def _samples(count: int) -> str:
    return "1 sample" if count == 1 else f"{count:,} samples"


def _dropped(found: dict[str, Any], whose: str) -> list[str]:
    tried = found["samples"] + found["waiting_samples_left_out"] + found["errors"]
    if not found["errors"] or found["errors"] < 0.01 * tried:
        return []
    share = found["errors"] / tried * 100
    return [
        f"{found['errors']:,} stacks{whose} ({share:.1f} %) changed while they were read and were dropped."
    ]


def losses(where: str, found: dict[str, Any]) -> list[str]:
    """What is missing from a view."""
    said = []
    if found["lost_chunks"]:
        why = f" ({'; '.join(found['lost_because'])})" if found["lost_because"] else ""
        said.append(f"{where} lost {found['lost_chunks']} of {found['chunks']} chunks{why}.")
    if found["samples_without_rate"]:
        said.append(
            f"{where} leaves out {found['samples_without_rate']} samples: at which rate they were taken is not known."
        )
    return said


def sentence(text: str) -> str:
    """`text` with a full stop."""
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
