"""The checks that a plan asks for: how an entry is written, what no entry keeps alone, and what a run is judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.checks.defaults import KEYS, standing
from toolkit.checks.grammar import CheckSyntaxError, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from toolkit.checks.check import Check
    from toolkit.plan.model import AskedCheck

    Mistake = tuple[tuple[int | str, ...], str]


def as_entry(data: Any) -> Any:  # noqa: ANN401 - before validation it may be anything
    """`{"check": text}` of a text. `http.p95{phase: peak} < 1s` without quotes is a mapping to YAML: it is put together again."""
    if isinstance(data, str):
        return {"check": data}
    if isinstance(data, dict) and len(data) == 1:
        ((key, value),) = data.items()
        if "{" in str(key) and "}" not in str(key):
            return {"check": f"{key}: {value}"}
    return data


def checked_text(value: str) -> str:
    """The check in the words that it always has.

    Raises:
        ValueError: every mistake in it.
    """
    return parse(value).text


def broken_check_rules(entries: Sequence[Any]) -> Iterator[Mistake]:
    """Checks and names that stand twice, and checks that cannot stop a load."""
    texts: list[str] = []
    names: list[str] = []
    for index, data in enumerate(entries):
        entry = as_entry(data)
        check = _readable(entry)
        if check is None:
            continue
        if check.text in texts:
            yield ("checks", index), f"the check {check.text} stands twice"
        elif (name := _name(entry)) and name in names:
            yield ("checks", index, "name"), f"two checks are called {name}"
        texts.append(check.text)
        names.append(_name(entry))
        if entry.get("abort") is True and check.window_s is None:
            wanted = f"{check.text} over 30s"
            yield ("checks", index), f"a check that stops the load needs a window: write {wanted}"
        elif entry.get("abort") is True and not check.quantity.live:
            yield ("checks", index), f"{check.quantity.name} is known only after the load: it cannot stop it"


def default_keys(value: bool | Sequence[str]) -> tuple[str, ...]:
    """Which default checks a plan keeps."""
    if isinstance(value, bool):
        return KEYS if value else ()
    return tuple(value)


def wanted_checks(asked: Sequence[AskedCheck], defaults: bool | Sequence[str]) -> list[dict[str, Any]]:
    """`Manifest.checks`: what the plan asks for, then the defaults that stand beside it."""
    own = [
        {"check": entry.check, "name": entry.name or entry.check, "abort": entry.abort, "default": False}
        for entry in asked
    ]
    beside = standing(default_keys(defaults), [parse(entry.check) for entry in asked])
    return own + [
        {"check": parse(one.text).text, "name": one.name, "abort": False, "default": True} for one in beside
    ]


def _readable(entry: Any) -> Check | None:  # noqa: ANN401 - any YAML value
    if not isinstance(entry, dict) or not isinstance(entry.get("check"), str):
        return None
    try:
        return parse(entry["check"].strip())
    except CheckSyntaxError:  # its own field says what is wrong
        return None


def _name(entry: dict[str, Any]) -> str:
    name = entry.get("name")
    return name.strip() if isinstance(name, str) else ""
