"""What Artillery checked by itself: the lines of its plugin `ensure`, and whether `expect` failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HEAD = "Checks:"
_OPTIONAL = " (optional)"


def ensured(lines: Sequence[str], *, expect_failed: bool = False) -> tuple[dict[str, Any], ...]:
    """`{"check", "held", "words"}` of each line `ok: …` or `fail: …` below the last `Checks:`. One that the file calls optional
    holds, in words, whatever it found.
    """
    heads = [at for at, line in enumerate(lines) if line == _HEAD]
    found = list(_read(lines[heads[-1] + 1 :])) if heads else []
    if expect_failed:
        found.append(
            {"check": "expect", "held": False, "words": "an expectation of the scenario file did not hold"}
        )
    return tuple(found)


def _read(lines: Sequence[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        verdict, _, text = line.partition(": ")
        if verdict not in ("ok", "fail") or not text:
            continue
        optional = verdict == "fail" and text.endswith(_OPTIONAL)
        yield {
            "check": text.removesuffix(_OPTIONAL),
            "held": verdict == "ok" or optional,
            "words": "did not hold, and is optional" if optional else "",
        }
