"""Whether a service's data stayed right: what each client was told against the state afterwards, invariant by invariant."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from toolkit.consistency.grammar import InvariantError, resolved
from toolkit.consistency.judging import Verdict, judge
from toolkit.consistency.tables import Tables
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from toolkit.recording.consistency import ConsistencyHead, Told
    from toolkit.recording.layout import LoadFolder, RunFolder

MOST_LISTED = 10_000
"""Ids of each invariant in summary.json."""
MOST_UNKNOWN = 100


def consistency_summary(run: RunFolder) -> tuple[list[dict[str, Any]], list[str]]:
    """One entry a scenario that looked, and a sentence for each whose recording cannot be judged.

    An entry: `{"load", "actions", "told", "refused", "unknown", "unsent": counts, "seed", "processes", "spread_ms" (between the
    first and the last start; None where fewer than two started), "verdict": held | broken | unclear | unjudged, "violations",
    "unclear": counts, "tables": [{"name", "service", "before", "after": rows}], "unknown_actions": [{"id", "problem"}],
    "invariants": [INVARIANT]}`. INVARIANT: `{"invariant", "service", "verdict", "left", "right": the sides in words, "values":
    both sides, of an invariant of the whole, "looked_at": ids, "violations", "unclear": counts, "violating", "undecided":
    [{"id", "left", "right", "actions": ids of what was counted}], "problem"}`.
    """
    found, missing = [], []
    for load in run.loads():
        if not load.consistency.path.is_dir():
            continue
        try:
            found.append(_of(load))
        except (ToolkitError, OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            missing.append(f"Load {load.name}: the recording of consistency cannot be judged: {error}")
    return found, missing


def _of(load: LoadFolder) -> dict[str, Any]:
    folder = load.consistency
    head = folder.read_head()
    told = folder.read_told(head)
    before, after = folder.read_state(folder.before) or {}, folder.read_state(folder.after)
    actions = {"told": told.told, "refused": told.refused, "unknown": told.unknown}
    tables = Tables.made(before, after or {}, head.keys, actions)
    invariants = [_judged(text, head, tables) for text in head.invariants]
    if after is None:
        invariants = [_not_read(one) for one in invariants]
    return {
        "load": load.name,
        "actions": head.actions,
        **{name: len(rows) for name, rows in actions.items()},
        "unsent": told.unsent,
        "seed": head.seed,
        "processes": head.processes,
        "spread_ms": _spread_ms(told),
        "verdict": _worst([one["verdict"] for one in invariants]),
        "violations": sum(one["violations"] for one in invariants),
        "unclear": sum(one["unclear"] for one in invariants),
        "tables": [
            {
                "name": name,
                "service": service,
                "before": len(before.get(name, [])),
                "after": len(after[name]) if after and name in after else None,
            }
            for name, service in head.services.items()
        ],
        "unknown_actions": [
            {"id": row["id"], "problem": row["problem"]} for row in told.unknown[:MOST_UNKNOWN]
        ],
        "invariants": invariants,
    }


def _judged(text: str, head: ConsistencyHead, tables: Tables) -> dict[str, Any]:
    service = ""
    try:
        invariant = resolved(text, head.services)
        service = next((head.services[one] for one in invariant.sources if one in head.services), "")
        verdict = judge(invariant, tables)
    except InvariantError as error:  # written by another version of the toolkit
        verdict = Verdict("unjudged", "", "", problem=str(error))
    return {
        "invariant": text,
        "service": service,
        "verdict": verdict.verdict,
        "left": verdict.left,
        "right": verdict.right,
        "values": list(verdict.values) if any(verdict.values) else None,
        "looked_at": verdict.looked_at,
        "violations": len(verdict.violations),
        "unclear": len(verdict.unclear),
        "violating": [asdict(one) for one in verdict.violations[:MOST_LISTED]],
        "undecided": [asdict(one) for one in verdict.unclear[:MOST_LISTED]],
        "problem": verdict.problem,
    }


def _not_read(judged: dict[str, Any]) -> dict[str, Any]:
    nothing = {
        "violations": 0,
        "unclear": 0,
        "violating": [],
        "undecided": [],
        "values": None,
        "looked_at": 0,
    }
    return {**judged, **nothing, "verdict": "unjudged", "problem": "the state was not read after the actions"}


def _worst(verdicts: list[str]) -> str:
    return next((word for word in ("broken", "unjudged", "unclear") if word in verdicts), "held")


def _spread_ms(told: Told) -> float | None:
    starts = told.starts_ns
    return round((max(starts) - min(starts)) / 1e6, 3) if len(starts) > 1 else None
