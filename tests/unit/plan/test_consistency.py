"""What a plan says of consistency: read as it was meant, and a wrong one names its mistakes with their places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from toolkit.errors import UsageError
from toolkit.plan.loading import load_plan, plan_text

if TYPE_CHECKING:
    from pathlib import Path

PLAN = """\
target: http://127.0.0.1:1
load:
  scenarios:
    - consistency:
        act: {request: POST /buy, actions: 3, values: {item: {first: 1, last: 2}}}
        verify:
          read:
            items: {http: GET /items, id_field: id}
            orders: {sql: SELECT id FROM orders, database: "postgresql+psycopg://shop:hunter2@db/orders"}
          invariants:
            - each items: stock >= 0
            - told within orders
"""


def load(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "plan.yml"
    path.write_text(text)
    try:
        load_plan(path, {})
    except UsageError as error:
        return str(error).splitlines()
    return []


def test_it_needs_no_file_and_names_its_engine(tmp_path: Path) -> None:
    path = tmp_path / "plan.yml"
    path.write_text(PLAN)
    plan = load_plan(path, {})
    assert plan.load is not None
    (scenario,) = plan.load.scenarios
    assert (scenario.engine, scenario.name, scenario.file) == ("barrier", "consistency", None)
    assert scenario.consistency is not None
    told = scenario.consistency.settings()
    assert told["verify"]["fields"] == {"items": ["id", "stock"], "orders": ["id"]}
    assert told["verify"]["invariants"] == ["each items: stock >= 0", "told within orders"]
    assert told["act"]["timeout"] == 30.0


def test_the_password_of_a_database_is_masked_and_a_masked_plan_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.yml"
    path.write_text(PLAN)
    text = plan_text(load_plan(path, {}))
    assert "hunter2" not in text
    assert "shop:***@db/orders" in text
    assert "id_field: id" in text
    path.write_text(text)
    with pytest.raises(UsageError, match="was masked when the plan was written"):
        load_plan(path, {})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("each items: stock >= 0", "sum(itemz.stock) >= 0", "there is no quantity 'itemz'"),
        ("each items: stock >= 0", "stock >= 0", "there is no quantity 'stock'"),
        ("GET /items,", "GET /items, sql: SELECT 1,", "says how it is read in one of http, sql, python"),
        (", database: ", ", at: ", "sql and database stand together"),
        ("{http: GET /items, id_field: id}", "{python: none.py:f}", "there is no file"),
        ("{http: GET /items, id_field: id}", "{python: none}", "names no function; write FILE.py:FUNCTION"),
        ("first: 1, last: 2", "first: 3, last: 2", "first must not be above last"),
        ("{first: 1, last: 2}", "[]", "there is nothing to choose from"),
        ("{item: {", "{id: {", "id is the run's own"),
        ("items: {http", "told: {http", "'told' cannot be the name of a table"),
        ("- consistency:", "- engine: locust\n      consistency:", "only the engine barrier takes this"),
        ("- consistency:", "- file: a.yml\n      consistency:", "the engine barrier reads no file"),
    ],
)
def test_each_mistake_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in PLAN
    assert any(said in line for line in load(tmp_path, PLAN.replace(old, new, 1)))


def test_every_other_engine_has_a_file(tmp_path: Path) -> None:
    lines = load(tmp_path, "target: http://127.0.0.1:1\nload: {scenarios: [{name: a}]}\n")
    assert any("file" in line and "is missing" in line for line in lines)
    lines = load(tmp_path, "target: http://127.0.0.1:1\nload: {scenarios: [{engine: barrier, name: a}]}\n")
    assert any("needs consistency:" in line for line in lines)
