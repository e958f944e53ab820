"""Where in a YAML file a value stands, and what a misspelt key was meant to be."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, get_origin

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Location = tuple[int | str, ...]


def line_of(document: Any, location: Location) -> int | None:  # noqa: ANN401 - ruamel's nodes
    """The line (from 1) of the deepest part of `location` that the document has; None where it has no places."""
    line: int | None = None
    node = document
    for step in location:
        marks = getattr(node, "lc", None)
        if marks is None or not isinstance(node, (dict, list)):
            break
        try:
            line = (marks.key(step) if isinstance(node, dict) else marks.item(step))[0] + 1
            node = dict(node)[step] if isinstance(node, dict) else node[int(step)]
        except (KeyError, IndexError, TypeError, ValueError):
            break
    return line


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """`did you mean "port"?`, or the list of what is known."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(known)}"


def known_instead(word: str, known: Sequence[str]) -> str:
    """As `did_you_mean`, as the end of a sentence."""
    hint = did_you_mean(word, known)
    return hint if hint.endswith("?") else f"{hint}."


def meant(model: type[BaseModel], location: Location) -> str:
    """What the unknown key at `location` was meant to be: one of this place, one that stands elsewhere, or the list."""
    word, known = str(location[-1]), keys_at(model, location)
    if difflib.get_close_matches(word, known, n=1, cutoff=0.6):
        return did_you_mean(word, known)
    elsewhere = [place for place, name in _fields(model, "") if name == word]
    if elsewhere:
        return f"it stands in {' and in '.join(elsewhere)}"
    return did_you_mean(word, known)


def _fields(model: type[BaseModel], place: str) -> Iterator[tuple[str, str]]:
    """Each field of the model and of the models in it, with its dotted place; `[]` stands for the entries of a list."""
    for name, field in model.model_fields.items():
        yield place + name, name
        inner = _inner_model(field.annotation)
        if inner:
            entries = "[]" if get_origin(field.annotation) is list else ""
            yield from _fields(inner, f"{place}{name}{entries}.")


def keys_at(model: type[BaseModel], location: Location) -> list[str]:
    """The keys that the plan's model knows at the parent of `location`."""
    kind = model_at(model, location)
    return list(kind.model_fields) if kind else []


def model_at(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    """The model that holds the last key of `location`."""
    kind: type[BaseModel] | None = model
    for step in location[:-1]:
        if isinstance(step, int):
            continue
        kind = (
            _inner_model(kind.model_fields[step].annotation) if kind and step in kind.model_fields else None
        )
    return kind


def _inner_model(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - a type form
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _inner_model(argument)
        if found:
            return found
    return None
