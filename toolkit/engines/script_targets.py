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
_WEB = re.compile(r"^https?://[^/]", re.IGNORECASE)
_AS_IT_STANDS = {"url", "uri", "name", "capture", "expect", "match"}
"""What a step may say beside its address and still send nothing but that."""
_ADDRESS_KEYS = {"url", "target", "connect"}


def targets_of(script: Script, variables: Mapping[str, Any]) -> list[str]:
    """The target first, then absolute URLs in the steps, each once. What is known before the run is filled in; a template
    that is not stays as it stands.
    """
    found = [str(script.config.get("target") or "")]
    for section in ("before", "scenarios", "after"):
        found += _addresses(script.data.get(section), "")
    return list(dict.fromkeys(_filled(text, variables) for text in found if text))


def reads_of(script: Script, variables: Mapping[str, Any]) -> list[str]:
    """The absolute URLs that the scenarios GET as they stand, each once: known before the run, and the same for everybody."""
    base = _filled(str(script.config.get("target") or ""), variables)
    found = []
    for step in _gets(script.data.get("scenarios")):
        url = _filled(str(step.get("url") or step.get("uri") or ""), variables).strip()
        whole = url if _ADDRESS.match(url) else base.rstrip("/") + url if url.startswith("/") else ""
        if _WEB.match(whole) and "{{" not in whole and set(step) <= _AS_IT_STANDS:
            found.append(whole)
    return list(dict.fromkeys(found))


def _gets(node: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any YAML value
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "get" and isinstance(value, dict):
                yield value
            else:
                yield from _gets(value)
    elif isinstance(node, list):
        for value in node:
            yield from _gets(value)


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
