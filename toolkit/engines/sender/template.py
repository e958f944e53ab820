"""What is sent of a record: texts in which `{{ field }}` stands for a value of it. No code, no filters."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

_FIELD = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


class MissingFieldError(ValueError):
    """A record has no such field."""

    def __init__(self, field: str) -> None:
        super().__init__(f"it has no field {field!r}")
        self.field = field


def fields_of(template: Any) -> set[str]:  # noqa: ANN401 - any JSON value
    """Every field that a template names, dots and all."""
    if isinstance(template, dict):
        return set().union(*(fields_of(key) | fields_of(value) for key, value in template.items()))
    if isinstance(template, list):
        return set().union(*map(fields_of, template))
    return set(_FIELD.findall(template)) if isinstance(template, str) else set()


def filled(template: Any, record: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    """The template with the record's values. `"{{ id }}"` alone keeps the value's type; within a text it becomes text.

    Raises:
        MissingFieldError: the record lacks a field.
    """
    if isinstance(template, dict):
        return {filled(key, record): filled(value, record) for key, value in template.items()}
    if isinstance(template, list):
        return [filled(value, record) for value in template]
    if not isinstance(template, str):
        return template
    alone = _FIELD.fullmatch(template)
    return value_of(record, alone[1]) if alone else text_of(template, record)


def text_of(template: str, record: dict[str, Any], *, quoted: bool = False) -> str:
    """A text with the record's values in it, each percent-encoded where `quoted`.

    Raises:
        MissingFieldError: the record lacks a field.
    """

    def put_in(match: re.Match[str]) -> str:
        text = _text(value_of(record, match[1]))
        return quote(text, safe="") if quoted else text

    return _FIELD.sub(put_in, template)


def value_of(record: dict[str, Any], field: str) -> Any:  # noqa: ANN401 - any JSON value
    """The value of `a` or, within an object, of `a.b`; a field that is called `a.b` itself comes first.

    Raises:
        MissingFieldError: there is none.
    """
    if field in record:
        return record[field]
    value: Any = record
    for part in field.split("."):
        if not isinstance(value, dict) or part not in value:
            raise MissingFieldError(field)
        value = value[part]
    return value


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
