"""The least and the most that a field of the plan takes: as people write them, and in the JSON Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, PlainSerializer

from toolkit.plan.places import model_at

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from toolkit.plan.places import Location

_KEYWORDS = (
    (Ge, "ge", "minimum"),
    (Gt, "gt", "exclusiveMinimum"),
    (Le, "le", "maximum"),
    (Lt, "lt", "exclusiveMaximum"),
)


def as_written(model: type[BaseModel], location: Location, value: Any) -> str:  # noqa: ANN401 - a number
    """A bound of the field at `location` in its unit: `200ms`, `100 kB`, `400%`; a plain number where it has none."""
    holder = model_at(model, location)
    field = holder.model_fields.get(str(location[-1])) if holder else None
    return _written(field, value) if field else f"{value:g}"


def _written(field: FieldInfo, value: float) -> str:
    # Of `X | None` the serializer stands within the union.
    inner = [
        item
        for part in getattr(field.annotation, "__args__", ())
        for item in getattr(part, "__metadata__", ())
    ]
    for item in (*field.metadata, *inner):
        if isinstance(item, PlainSerializer):
            return str(item.func(value))  # type: ignore[call-arg]
    return f"{value:g}"


def bound_numbers(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Write the bounds of every field of `model`, and of the models in it, into its JSON Schema.

    A schema of our own for quantities (a number or a text) hides them from pydantic.
    """
    kinds = {kind.__name__: kind for kind in _models(model)}
    for name, part in {model.__name__: schema, **schema.get("$defs", {})}.items():
        for key, said in part.get("properties", {}).items():
            field = kinds[name].model_fields[key]
            limits = _limits(field)
            numbers = [one for one in said.get("anyOf", []) if one.get("type") in ("number", "integer")]
            for one in numbers if limits else []:
                one.pop("minimum", None)
                one |= limits


def _limits(field: FieldInfo) -> dict[str, float]:
    return {
        keyword: getattr(item, name)
        for item in field.metadata
        for kind, name, keyword in _KEYWORDS
        if isinstance(item, kind)
    }


def _models(model: type[BaseModel]) -> list[type[BaseModel]]:
    found = [model]
    for kind in found:
        for field in kind.model_fields:
            inner = model_at(kind, (field, ""))
            if inner and inner not in found:
                found.append(inner)
    return found
