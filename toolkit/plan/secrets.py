"""Values that must not be written anywhere: where they come from, and how they are masked."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator

from toolkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

MASK = "***"
_QUERY_SECRET = re.compile(
    r"([?&][^=&\s]*(?:pass|token|secret|key|auth|cookie|credential|signature|sig)[^=&\s]*=)[^&#\s'\"]+",
    re.IGNORECASE,
)
_USER_INFO = re.compile(r"((?:https?|wss?)://)[^/@\s]+@")
_PASSWORD = re.compile(r"(\b[A-Za-z][A-Za-z0-9+.-]*://[^/@\s:]*:)[^/@\s]+@")
_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)?$|token|secret|api[-_]?key|private[-_]?key|^key$|authorization|cookie|credential",
    re.IGNORECASE,
)


_NAMES_ONE = r"[\w.-]*(?:pass(?:word|wd|phrase)?|token|secret|api[-_]?key|private[-_]?key|credential|authorization|cookie)[\w.-]*"
_GIVEN_SECRET = re.compile(
    rf"((?<![\w.-]){_NAMES_ONE}\s*[=:]\s*|(?<!\S)--?{_NAMES_ONE}\s+)([^\s'\"]+)", re.IGNORECASE
)


def _reference(value: str) -> str:
    if value.startswith(("env:", "file:")) and len(value.split(":", 1)[1]) > 0:
        return value
    if value in {"prompt", "prompt:"}:  # YAML takes `prompt:` only in quotes
        return "prompt:"
    raise ValueError("a secret is not written in a plan; say env:NAME, file:PATH or prompt:")


SecretReference = Annotated[str, AfterValidator(_reference)]


def resolve_secret(reference: str, ask: Callable[[str], str], question: str) -> str:
    """The value behind `env:NAME`, `file:PATH` or `prompt:`.

    Raises:
        UsageError: the variable is not set or the file cannot be read; never says the value.
    """
    kind, _, rest = reference.partition(":")
    if kind == "env":
        value = os.environ.get(rest)
        if value is None:
            raise UsageError(
                f"The environment variable {rest} is not set.", "The plan takes a secret from it."
            )
        return value
    if kind == "file":
        try:
            return Path(rest).expanduser().read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise UsageError(f"The secret file {rest} cannot be read: {error.strerror}.") from None
    return ask(question)


def mask_urls(text: str) -> str:
    """`text` with the user-info of every URL in it masked (of a database's or server's the password alone), and every query value
    that has a secret's name.
    """
    return _QUERY_SECRET.sub(rf"\1{MASK}", _PASSWORD.sub(rf"\1{MASK}@", _USER_INFO.sub(rf"\1{MASK}@", text)))


def mask_command(text: str) -> str:
    """A command line in which `NAME=value` and `--name value` of a secret's name have lost their values; and URLs as above."""
    return _GIVEN_SECRET.sub(rf"\1{MASK}", mask_urls(text))


def mask_told(told: Any) -> Any:  # noqa: ANN401 - any JSON value
    """What a server told of its processes, with every text in it masked as a command line."""
    if isinstance(told, dict):
        return {key: mask_told(value) for key, value in told.items()}
    if isinstance(told, list):
        return [mask_told(value) for value in told]
    return mask_command(told) if isinstance(told, str) else told


def masked(value: Any, name: str = "") -> Any:  # noqa: ANN401 - any YAML value
    """`value` with everything masked that has a secret's name or a URL's user-info."""
    if isinstance(value, dict):
        return {key: masked(item, str(key)) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item, name) for item in value]
    if isinstance(value, str):
        if _SECRET_NAME.search(name) and not value.startswith(("env:", "file:", "prompt:")):
            return MASK
        return mask_urls(value)
    return MASK if _SECRET_NAME.search(name) and value is not None else value
