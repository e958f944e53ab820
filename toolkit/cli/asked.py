"""What a command line asks for, where the command itself did not come to say so."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

_JSON = "--json"


def asks_for_json(words: Sequence[str], root: click.Command) -> bool:
    """Whether these words call a command that knows --json and ask for it, by flag or by variable.

    Read from the words: a command line with a mistake is not parsed to its end.
    """
    command = _called(words, root)
    option = next((each for each in command.params if _JSON in each.opts), None)
    if option is None:
        return False
    given = list(words[: words.index("--")] if "--" in words else words)
    return _JSON in given or _is_true(option)


def _called(words: Sequence[str], command: click.Command) -> click.Command:
    for word in words:
        if not isinstance(command, click.Group):
            break
        if word.startswith("-"):
            continue
        try:
            found = command.get_command(click.Context(command), word)
        except ImportError:  # what the command failed on
            break
        if found is None:
            break
        command = found
    return command


def _is_true(option: click.Parameter) -> bool:
    names = [option.envvar] if isinstance(option.envvar, str) else option.envvar or []
    value = next((os.environ[name] for name in names if os.environ.get(name)), "")
    try:
        return bool(value) and bool(click.BOOL.convert(value, None, None))
    except click.BadParameter:  # what the command failed on
        return False
