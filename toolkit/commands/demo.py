"""`toolkit demo`: the bundled service alone."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolkit.commands.options import option
from toolkit.demo.service import demo_status, start_demo, stop_demo
from toolkit.recording.places import carried

if TYPE_CHECKING:
    from toolkit.demo.service import DemoState

_DEFAULT_URL = "http://127.0.0.1:18080"
_DEFAULT_SHOP_URL = "http://127.0.0.1:18090"
_DEFAULT_DIR = Path(".demo")


@click.group("demo")
def command() -> None:
    """Start, stop or look at the bundled gunicorn service and its SSH server, on loopback."""


@command.command("start")
@option(
    "--demo-dir", type=click.Path(path_type=Path), default=_DEFAULT_DIR, show_default=True, help="Its files."
)
@option("--demo-port", type=int, help="HTTP port (default: 18080 where free, else any).")
@option("--shop", is_flag=True, help="The shop beside it: stock, payment and order, a gateway before them.")
def start(demo_dir: Path, demo_port: int | None, shop: bool) -> None:
    """Start it; says how to run the demo plan against it."""
    state = start_demo(demo_dir.resolve(), port=demo_port, shop=shop)
    click.echo(
        f"The service answers at {state.url}, SSH at alias toolkit-demo of {state.ssh_config}.", err=True
    )
    if state.shop:
        click.echo(f"The shop answers at {state.shop.url}.", err=True)
    click.echo(
        f"Try: {_environment(state, demo_dir)}python -m toolkit profile-and-load {_plan(state)}", err=True
    )
    away = "" if demo_dir == _DEFAULT_DIR else f" --demo-dir {shlex.quote(str(demo_dir))}"
    click.echo(f"Stop it: python -m toolkit demo stop{away}", err=True)


@command.command("stop")
@option(
    "--demo-dir", type=click.Path(path_type=Path), default=_DEFAULT_DIR, show_default=True, help="Its files."
)
def stop(demo_dir: Path) -> None:
    """Stop it and remove its files."""
    click.echo("Stopped." if stop_demo(demo_dir.resolve()) else "It was not running.", err=True)


@command.command("status")
@option(
    "--demo-dir", type=click.Path(path_type=Path), default=_DEFAULT_DIR, show_default=True, help="Its files."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON on standard output.")
def status(demo_dir: Path, as_json: bool) -> None:
    """Say whether it runs, and where."""
    state = demo_status(demo_dir.resolve())
    if as_json:
        shop = state.shop.url if state and state.shop else None
        click.echo(
            json.dumps({"running": state is not None, "url": state.url if state else None, "shop": shop})
        )
    elif state is None:
        click.echo("It does not run.", err=True)
    else:
        click.echo(f"It answers at {state.url}; gunicorn's PID is {state.gunicorn_pid}.", err=True)
        for service in state.shop.services if state.shop else ():
            told = f"The shop's {service.name} answers at {service.url}; gunicorn's PID is {service.gunicorn.pid}."
            click.echo(told, err=True)
    raise click.exceptions.Exit(0 if state else 1)


def _environment(state: DemoState, demo_dir: Path) -> str:
    """The variables that the plan needs where its defaults do not hold."""
    words = []
    if state.shop and state.shop.url != _DEFAULT_SHOP_URL:
        words.append(f"TOOLKIT_SHOP_URL={state.shop.url}")
    if state.url != _DEFAULT_URL:
        words.append(f"TOOLKIT_DEMO_URL={state.url}")
    if demo_dir.resolve() != (carried("plans").parent / ".demo").resolve():
        words.append(f"TOOLKIT_DEMO_DIR={shlex.quote(str(demo_dir.resolve()))}")
    return " ".join([*words, ""]) if words else ""


def _plan(state: DemoState) -> str:
    plan = carried("plans") / ("checkout.yml" if state.shop else "demo.yml")
    return shlex.quote(os.path.relpath(plan) if plan.is_relative_to(Path.cwd()) else str(plan))
