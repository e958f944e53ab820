"""What a run of a plan is judged by: its checks, and of a stress its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.checks.grammar import parse
from toolkit.plan.asked import default_keys, wanted_checks
from toolkit.plan.capacity import KIND, cells_shape
from toolkit.plan.kinds import kind_of, shape_of
from toolkit.plan.limits import EXPECTED, is_limit, limits_of

if TYPE_CHECKING:
    from toolkit.plan.model import Plan


def checks_of(plan: Plan) -> list[dict[str, Any]]:
    """`Manifest.checks`. A stress goes on until its checks do not hold: those are its limits, and fail nothing."""
    if kind_of(plan) != "stress":
        return wanted_checks(plan.checks, plan.default_checks)
    left = [entry for entry in plan.checks if not is_limit(parse(entry.check))]
    return wanted_checks(left, [key for key in default_keys(plan.default_checks) if key not in EXPECTED])


def wanted_shape(plan: Plan) -> dict[str, Any]:
    """`Manifest.shape`."""
    shape = shape_of(plan)
    if shape["kind"] == KIND:
        return shape | {"cells": cells_shape(plan)}
    return shape | {"limits": limits_of(plan.checks)} if shape["kind"] == "stress" else shape
