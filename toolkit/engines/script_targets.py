"""Where a scenario file sends its load: its target, and every other address that its steps name."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from toolkit.engines.artillery_script import Script

_ADDRESS = re.compile(r"^(?:https?|wss?)://", re.IGNORECASE)
_TEMPLATE = re.compile(r"\{\{\s*(\$(?:env|processEnvironment)\.)?([\w.]+)\s*\}\}")
_ADDRESS_KEYS = {"url", "target", "connect"}


def targets_of(script: Script, variables: Mapping[str, Any]) -> list[str]:
    """The target first, then absolute URLs in the steps, each once. What is known before the run is filled in; a template
    that is not stays as it stands.
    """
    found = [str(script.config.get("target") or "")]
    for section in ("before", "scenarios", "after"):
        found += _addresses(script.data.get(section), "")
    return list(dict.fromkeys(_filled(text, variables) for text in found if text))


def _addresses(node: Any, key: str) -> Iterator[str]:  # noqa: ANN401 - any YAML value
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _addresses(value, str(name))
    elif isinstance(node, list):
        for value in node:
            yield from _addresses(value, key)
    elif isinstance(node, str) and key in _ADDRESS_KEYS and _ADDRESS.match(node.strip()):
        yield node.strip()


def _filled(text: str, variables: Mapping[str, Any]) -> str:
    def value(match: re.Match[str]) -> str:
        known = os.environ.get(match[2]) if match[1] else variables.get(match[2])
        return match[0] if known is None else str(known)

    return _TEMPLATE.sub(value, text)
