"""`toolkit prepare`: the files with which an administrator prepares a server for profiling without full sudo."""

from __future__ import annotations

from pathlib import Path

import click

from toolkit.run.agent_push import write_server_kit


@click.command("prepare")
@click.option("--out", "-o", type=click.Path(path_type=Path), default=Path("server-kit"), show_default=True)
@click.option("--machine", type=click.Choice(["x86_64", "aarch64"]), default="x86_64", show_default=True)
@click.option("--libc", type=click.Choice(["glibc", "musl"]), default="glibc", show_default=True)
def command(out: Path, machine: str, libc: str) -> None:
    """Write agent, py-spy, psutil and prepare-server.sh into a folder to carry to the server.

    There, root runs sh prepare-server.sh --user NAME: that user may then profile gunicorn by sudo, and nothing else.
    """
    write_server_kit(out, machine, libc)
    click.echo(
        f"Copy {out}/ to the server and run there, as root: sh {out.name}/prepare-server.sh --user NAME",
        err=True,
    )
