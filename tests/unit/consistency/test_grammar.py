"""What an invariant may say, and what is said of one that cannot be read."""

from __future__ import annotations

import pytest

from toolkit.consistency.grammar import DEEPEST, InvariantError, parse, resolved
from toolkit.consistency.invariant import Compared, Within

TABLES = ("items", "users", "orders")


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        ("sum(items.stock) + count(told) == 100", ["items", "told"]),
        ("each items: before.stock - stock == count(told by item)", ["items", "told"]),
        ("each users: before.credit - credit == sum(orders.price by user)", ["users", "orders"]),
        ("told within orders", ["told", "orders"]),
        ("min(items.stock) >= -1 * (2 + 3)", ["items"]),
    ],
)
def test_what_can_be_said(text: str, sources: list[str]) -> None:
    assert resolved(text, TABLES).sources == sources


def test_the_sides_keep_their_words() -> None:
    found = parse("each items: before.stock - stock == count(told by item)")
    assert isinstance(found, Compared)
    assert (found.each, found.left_text, found.right_text) == (
        "items",
        "before.stock - stock",
        "count(told by item)",
    )
    assert sorted(found.fields()) == [("items", "stock"), ("items", "stock"), ("told", "item")]
    assert isinstance(parse("told within orders"), Within)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "sum(itemz.stock) == 1",
            "there is no quantity 'itemz'; verify.read and the run itself have items, users",
        ),
        ("stock == 1", "there is no quantity 'stock'; write count(TABLE)"),
        ("count(orders) = 1", "one of == != <= >= < > was expected and '=' found"),
        ("__import__('os').system('id') == 0", "has no meaning here"),
        ("each items stock > 1", "':' was expected and 'stock' found"),
        ("count(orders by item) == 1", "begin with each TABLE:"),
        ("count(before.told) == 1", "nothing was told before the actions"),
        ("told within nothing", "there is no quantity 'nothing'"),
        ("1 == 1 1", "its end was expected"),
        ("", "was expected and nothing found"),
        ("(" * (DEEPEST + 5), "nested too deep"),
        ("1 == " + "1" * 600, "is longer than"),
    ],
)
def test_what_cannot(text: str, said: str) -> None:
    with pytest.raises(InvariantError) as caught:
        resolved(text, TABLES)
    assert said in str(caught.value)
