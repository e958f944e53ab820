"""Renderer: postmortem.md, by the template that comes with the toolkit or by one of the user's own (docs/postmortem.md)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from toolkit.errors import ToolkitError
from toolkit.reports.postmortem.facts import facts
from toolkit.reports.postmortem.markdown import block, code, link, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jinja2 import Template

    from toolkit.analysis.results import Results

DEFAULT = Path(__file__).with_name("postmortem.md.j2")
_CALLED = "<postmortem>"


def render(results: Results) -> Iterator[tuple[str, bytes]]:
    """Yield `postmortem.md`.

    Raises:
        ToolkitError: the user's template has a mistake; named with its file and line.
    """
    name, text = results.postmortem_template or (str(DEFAULT), DEFAULT.read_text(encoding="utf-8"))
    yield results.run.postmortem.name, written(name, text, facts(results)).encode("utf-8", "replace")


def written(name: str, text: str, given: dict[str, Any]) -> str:
    """A template with its values in it. Every value is escaped for Markdown; the filters `code`, `block` and `link` write marks.

    Raises:
        ToolkitError: as `render`.
    """
    try:
        return _template(text).render(given).rstrip("\n") + "\n"
    except TemplateSyntaxError as error:
        raise _wrong(name, error.lineno, error.message or "it is no Jinja template") from None
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        # SecurityError and UndefinedError are TemplateErrors; the others come from a filter that was given what it cannot take.
        raise _wrong(name, _line_of(error), str(error) or type(error).__name__) from None


def _template(text: str) -> Template:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=plain,
    )
    environment.filters |= {"code": code, "block": block, "link": link}
    compiled = environment.compile(text, filename=_CALLED)
    return environment.template_class.from_code(environment, compiled, environment.globals.copy())


def _line_of(error: Exception) -> int | None:
    """The innermost line of the template: Jinja writes its lines into the traceback."""
    trace, line = error.__traceback__, None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == _CALLED:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _wrong(name: str, line: int | None, message: str) -> ToolkitError:
    where = f", line {line}" if line else ""
    return ToolkitError(
        f"The template {name}{where}: {message.strip().rstrip('.')}.",
        "docs/postmortem.md lists what a template may use.",
    )
