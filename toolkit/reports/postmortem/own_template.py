"""A postmortem's template of the user's own: read and looked over before anything else is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from toolkit.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_MOST = 1_000_000


def read_template(path: Path | None) -> tuple[str, str] | None:
    """Name and text; None where none is named.

    Raises:
        UsageError: it cannot be read, or is no Jinja template; named with its line.
    """
    if path is None:
        return None
    try:
        text = path.read_bytes()[: _MOST + 1].decode("utf-8")
    except OSError as error:
        raise UsageError(f"The template {path} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"The template {path} is not UTF-8 text.") from None
    if len(text) > _MOST:
        raise UsageError(f"The template {path} is larger than {_MOST // 1_000_000} MB.")
    environment = ImmutableSandboxedEnvironment()
    environment.filters |= dict.fromkeys(("code", "block", "link"), str)
    try:
        environment.compile(environment.parse(text))
    except TemplateSyntaxError as error:
        message = (error.message or "it is no Jinja template").strip().rstrip(".")
        raise UsageError(
            f"The template {path}, line {error.lineno}: {message}.",
            "docs/postmortem.md lists what a template may use.",
        ) from None
    return str(path), text
