"""What a plan may say in short: one number for a list of one, the one word that matters for all of a mapping."""

from __future__ import annotations

from typing import Any

from pydantic import BeforeValidator


def _listed(value: Any) -> Any:  # noqa: ANN401 - before validation it may be anything
    return [value] if isinstance(value, int) and not isinstance(value, bool) else value


ONE_OR_SEVERAL = BeforeValidator(_listed)
"""`200` is `[200]`."""


def in_short(field: str) -> BeforeValidator:
    """A text alone is `{field: text}`."""

    def filled(value: Any) -> Any:  # noqa: ANN401 - before validation it may be anything
        return {field: value} if isinstance(value, str) else value

    return BeforeValidator(filled)
