"""The plan's JSON Schema, for editors; `make schema` writes it to docs/plan.schema.json."""

from __future__ import annotations

import json

from toolkit.plan.bounds import bound_numbers
from toolkit.plan.model import Plan


def schema_text() -> str:
    """The schema as indented JSON."""
    schema = Plan.model_json_schema()
    bound_numbers(schema, Plan)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "toolkit plan"
    schema["required"] = [name for name in schema.get("required", []) if name != "name"]
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
