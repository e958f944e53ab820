"""The command line: the list of commands, and the one place where an error becomes an exit code."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import sys
import traceback
from typing import Any

import click

import toolkit
from toolkit.cli.asked import asks_for_json
from toolkit.errors import WHICH_PYTHON, ToolkitError, UsageError

# name → module under toolkit.commands that holds `command`; imported when it is called, so that --help stays quick.
COMMANDS = {
    "profile-and-load": "profile_and_load",
    "profile": "profile",
    "load": "load",
    "kubernetes": "kubernetes",
    "doctor": "doctor",
    "stop": "stop",
    "report": "report",
    "requests": "requests",
    "flamegraph": "flamegraph",
    "compare": "compare",
    "baseline": "baseline",
    "bundle": "bundle",
    "demo": "demo",
    "setup": "setup",
    "prepare": "prepare",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"toolkit.commands.{COMMANDS[cmd_name]}").command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:  # noqa: ANN401 - click's type
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from toolkit.plan.places import did_you_mean

            hint = did_you_mean(args[0], list(COMMANDS)).capitalize()
            raise click.UsageError(f"{error.message} {hint}", ctx) from None


@click.command(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(toolkit.__version__, prog_name="toolkit")
@click.pass_context
def cli(context: click.Context) -> None:
    """Load a gunicorn service, profile it over SSH while it is under load, keep one bundle for the postmortem."""
    if os.environ.get("NO_COLOR"):
        context.color = False


def main(argv: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code; a script that asked for JSON gets its failure as JSON."""
    with contextlib.suppress(ValueError, OSError):  # a password that was typed must not stand in a core file
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    code, failure = _call(argv)
    if failure is not None and asks_for_json(sys.argv[1:] if argv is None else argv, cli):
        told = {"error": failure.message, "hint": failure.hint, "exit_code": code}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    sys.exit(code)


def _unforeseen(error: Exception) -> ToolkitError:
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] != "toolkit":
        return UsageError(f"This Python ({sys.executable}) has no package {error.name}.", WHICH_PYTHON)
    what = f"The toolkit failed: {type(error).__name__}: {error}."
    return ToolkitError(what, "This is a bug; TOOLKIT_DEBUG=1 shows where it comes from.")


def _call(argv: list[str] | None) -> tuple[int, ToolkitError | None]:
    """Run it: the exit code, and what a person was told where it failed before it had a result."""
    code, failure = 0, None
    try:
        ended = cli.main(args=argv, prog_name="toolkit", standalone_mode=False)
        code = ended if isinstance(ended, int) else 0
    except click.exceptions.Exit as leave:
        code = leave.exit_code
    except click.Abort:
        code, failure = 130, _say(ToolkitError("Stopped."))
    except click.ClickException as error:
        error.show(sys.stderr)
        code, failure = 2, ToolkitError(error.format_message())
    except ToolkitError as error:
        code, failure = error.exit_code, _say(error)
    except BrokenPipeError:
        # Nobody reads on; without this the interpreter would stumble over the same pipe once more as it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except KeyboardInterrupt:
        code, failure = 130, ToolkitError("Stopped.")
    except Exception as error:  # noqa: BLE001 - the last line of defence: people get a sentence, not a traceback
        failure = _say(_unforeseen(error))
        code = failure.exit_code
        if os.environ.get("TOOLKIT_DEBUG"):
            traceback.print_exc()
    return code, failure


def _say(error: ToolkitError) -> ToolkitError:
    click.echo(f"toolkit: {error}", err=True)
    return error
