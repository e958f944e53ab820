"""Which requests a check means: its tags against what was recorded, or which of them fits nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.checks.quantities.requests import PROTOCOLS
from toolkit.checks.quantity import EVENTS
from toolkit.checks.tags import fits, matching
from toolkit.checks.words import suggestion

if TYPE_CHECKING:
    from toolkit.checks.check import Check

Kind = dict[str, Any]
_COLUMNS = {"scenario": ("load", "scenario")}
"""Tags that are not one column: a scenario of the plan, or one inside its file."""


def chosen(check: Check, kinds: list[Kind]) -> dict[str, Any]:
    """The parameters of `check_observed.sql`.

    Args:
        check: on a quantity of requests.
        kinds: `check_kinds.sql`.

    Raises:
        LookupError: nothing fits; says what, and what was meant.
    """
    family = check.quantity.name.partition(".")[0]
    protocols = PROTOCOLS[family]
    left = [kind for kind in kinds if not protocols or kind["protocol"] in protocols]
    if not left:
        what = "request" if family == "requests" else f"{family} request"
        raise LookupError(f"no {what} was recorded")
    found: dict[str, Any] = {"measure": check.quantity.measure, "protocols": list(protocols) or None}
    found |= dict.fromkeys(("phases", "names", "scenarios", "methods", "codes"))
    for tag, pattern in check.tags:
        values = _values(left, tag)
        fitting = matching(tag, pattern, values)
        happening = tag == "code" and set(EVENTS) <= set(check.quantity.statistics)
        if not fitting and not happening:  # no request of a code that is counted is what one hopes for
            raise LookupError(
                _nothing(tag, pattern, values, family, [kind for kind in kinds if kind not in left])
            )
        found[f"{tag}s"] = fitting
        if not happening:
            left = [kind for kind in left if any(kind[column] in fitting for column in _columns(tag))]
    return found


def _nothing(tag: str, pattern: str, values: list[str], family: str, others: list[Kind]) -> str:
    elsewhere = sorted(
        {kind["protocol"] for kind in others if fits(tag, pattern, [kind[one] for one in _columns(tag)])}
    )
    if elsewhere:
        return f"no {family} request has {tag} {pattern!r}: requests of {', '.join(elsewhere)} do; {suggestion(pattern, values)}"
    what = "request" if family == "requests" else f"{family} request"
    return f"no {what} has {tag} {pattern!r}; {suggestion(pattern, values)}"


def _columns(tag: str) -> tuple[str, ...]:
    return _COLUMNS.get(tag, (tag,))


def _values(kinds: list[Kind], tag: str) -> list[str]:
    return sorted({kind[column] for kind in kinds for column in _columns(tag) if kind[column]})
