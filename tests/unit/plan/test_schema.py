"""The published schema is the plan's."""

from __future__ import annotations

import json
from pathlib import Path

from toolkit.plan.schema import schema_text

ROOT = Path(__file__).resolve().parents[3]


def test_the_published_schema_is_up_to_date() -> None:
    assert (ROOT / "docs" / "plan.schema.json").read_text(encoding="utf-8") == schema_text(), (
        "run make schema"
    )


def test_the_schema_keeps_the_tools_bounds() -> None:
    watch = json.loads(schema_text())["$defs"]["Watch"]["properties"]
    interval, limit = (watch[name]["anyOf"][0] for name in ("interval", "log_limit"))
    assert (interval["minimum"], interval["maximum"]) == (0.2, 60)
    assert (limit["minimum"], limit["maximum"]) == (100_000, 2_000_000_000)
    budget = json.loads(schema_text())["$defs"]["Profile"]["properties"]["budget"]["anyOf"][0]
    assert budget == {"type": "number", "exclusiveMinimum": 0, "maximum": 400}
