"""Which ids disagree, and what is unclear where an action got no answer."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.consistency.grammar import parse
from toolkit.consistency.judging import Verdict, judge
from toolkit.consistency.tables import Tables

BEFORE: dict[str, list[dict[str, Any]]] = {
    "items": [{"id": 1, "stock": 1}, {"id": 2, "stock": 1}, {"id": 3, "stock": 1}]
}
AFTER: dict[str, list[dict[str, Any]]] = {
    "items": [{"id": "1", "stock": 0}, {"id": 2, "stock": 0}, {"id": 3, "stock": 1}],
    "orders": [{"id": "a", "price": 0.1}, {"id": "x", "price": 0.2}],
}
TOLD = [{"id": "a", "item": 1}, {"id": "b", "item": 1}]


def judged(text: str, *, unknown: list[dict[str, Any]] | None = None, **after: Any) -> Verdict:
    actions = {"told": TOLD, "refused": [{"id": "r", "item": 3}], "unknown": unknown or []}
    return judge(parse(text), Tables.made(BEFORE, {**AFTER, **after}, {}, actions))


def test_each_id_that_disagrees_with_both_sides_and_what_was_counted() -> None:
    verdict = judged("each items: before.stock - stock == count(told by item)")
    assert verdict.verdict == "broken"
    assert [(one.id, one.left, one.right, one.actions) for one in verdict.violations] == [
        ("1", "1", "2", ["a", "b"]),
        ("2", "1", "0", []),
    ]
    assert verdict.looked_at == 3


def test_an_action_without_an_answer_makes_unclear_and_not_broken() -> None:
    text = "each items: before.stock - stock == count(told by item)"
    verdict = judged(text, unknown=[{"id": "c", "item": 2}])
    assert [one.id for one in verdict.violations] == ["1"]
    assert [(one.id, one.right) for one in verdict.unclear] == [("2", "0 to 1")]
    assert judged("count(told) == 3", unknown=[{"id": "c", "item": 2}]).verdict == "unclear"
    assert judged("count(told) <= 3", unknown=[{"id": "c", "item": 2}]).verdict == "held"
    assert judged("count(told) > 3", unknown=[{"id": "c", "item": 2}]).verdict == "broken"
    assert judged("count(told) != 5", unknown=[{"id": "c", "item": 2}]).verdict == "held"


def test_what_was_told_is_stored_and_what_is_stored_was_sent() -> None:
    assert [one.id for one in judged("told within orders").violations] == ["b"]
    assert [one.id for one in judged("orders within sent").violations] == ["x"]
    # The service may have got it.
    assert judged("orders within sent", unknown=[{"id": "x", "item": 2}]).verdict == "held"


def test_numbers_of_the_whole_are_exact() -> None:
    verdict = judged("sum(orders.price) == 0.3")
    assert (verdict.verdict, verdict.values) == ("held", ("0.3", "0.3"))
    assert judged("sum(items.stock) + 2 * 1 == 4 - 1").verdict == "held"
    assert judged("min(items.stock) >= 0").verdict == "held"


def test_a_row_that_came_or_went_disagrees() -> None:
    verdict = judged(
        "each items: before.stock - stock <= 1", items=[{"id": 1, "stock": 0}, {"id": 9, "stock": 0}]
    )
    assert {one.id: one.left for one in verdict.violations} == {
        "2": "not there afterwards",
        "3": "not there afterwards",
        "9": "not there before",
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("sum(items.colour) == 1", "colour of a row of items is missing"),
        ("each items: stock == count(told by nothing)", "a row of told has no nothing"),
        ("sum(orders.id) == 1", "id of a row of orders is 'a' and no number"),
        ("count(elsewhere) == 1", "elsewhere was not read after the actions"),
        ("min(unknown.item) == 1", "min of no row of unknown"),
    ],
)
def test_what_cannot_be_judged_says_why(text: str, problem: str) -> None:
    verdict = judged(text)
    assert (verdict.verdict, verdict.problem) == ("unjudged", problem)
