"""Mistakes in a plan, as a user reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from toolkit.plan.bounds import as_written
from toolkit.plan.model import Plan
from toolkit.plan.places import did_you_mean, line_of, meant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic_core import ErrorDetails

    from toolkit.plan.places import Location

_PLAIN = {
    "model_type": "{input} is no mapping; write key: value lines",
    "model_attributes_type": "{input} is no mapping; write key: value lines",
    "dict_type": "{input} is no mapping; write key: value lines",
    "list_type": "{input} is no list; write - lines",
    "bool_parsing": "{input} is neither true nor false",
    "bool_type": "{input} is neither true nor false",
    "int_parsing": "{input} is no whole number",
    "float_parsing": "{input} is no number",
    "string_type": "{input} is no text",
    "too_short": "is empty; name at least one",
    "string_pattern_mismatch": "{input} is no name: letters, digits and . _ - only, at most 64, a letter or digit first",
}
"""pydantic's kinds of mistakes, in a user's words."""
_KIND = re.compile(r"bool$|list\[")
"""pydantic's name of one of the kinds that a value may be of, in the place of a mistake."""
_BOUNDS = {
    "greater_than": "too little: it must be more than",
    "greater_than_equal": "too little: the least is",
    "less_than": "too much: it must be less than",
    "less_than_equal": "too much: the most is",
}


def of_one_kind(details: Iterable[ErrorDetails]) -> Iterator[ErrorDetails]:
    """Of a value that may be true, false or a list: its mistakes as that which it is, without pydantic's name of that kind."""
    for detail in details:
        at = next((at for at, step in enumerate(detail["loc"]) if _KIND.match(str(step))), None)
        if at is None:
            yield detail
        elif detail["type"] != "list_type" and not isinstance(detail["input"], list):
            yield {**detail, "loc": detail["loc"][:at] + detail["loc"][at + 1 :]}


def in_words(detail: ErrorDetails) -> tuple[Location, str]:
    """Where a mistake stands that pydantic found, and what it is, in a user's words."""
    location = tuple(detail["loc"])
    kind = detail["type"]
    if kind == "extra_forbidden":
        return location, f"unknown key; {meant(Plan, location)}"
    if kind == "missing":
        return location, "is missing"
    if kind == "literal_error":
        wanted = str(detail["ctx"]["expected"]).replace("'", "")
        return (
            location,
            f"{detail['input']!r} is not one of {wanted}; {did_you_mean(str(detail['input']), re.split(', | or ', wanted))}",
        )
    if kind in _BOUNDS:
        bound = next(iter(detail["ctx"].values()))
        return location, f"{detail['input']!r} is {_BOUNDS[kind]} {as_written(Plan, location, bound)}"
    if kind in _PLAIN:
        return location, _PLAIN[kind].format(input=repr(detail["input"]))
    return location, detail["msg"].removeprefix("Value error, ")


def sentence(source: str, document: Any, location: Location, text: str) -> str:  # noqa: ANN401 - any YAML document
    """One mistake as a line: file, line, dotted place, what it is."""
    if document is None and not location:
        text = "is empty; write key: value lines" if source != "options" else text
    line = line_of(document, location)
    place = f"{source}:{line}" if line else source
    dotted = ".".join(str(step) for step in location)
    return f"{place}: {dotted}: {text}" if dotted else f"{place}: {text}"


def origin_of(location: Location, origins: Mapping[str, str]) -> str:
    """Where a value was said that is not the plan's own; empty where it is."""
    for end in range(len(location), 0, -1):
        if (found := origins.get(".".join(str(step) for step in location[:end]))) is not None:
            return found
    return ""
