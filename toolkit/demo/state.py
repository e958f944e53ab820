"""What the running demo is, kept in its folder as `state.json` for whoever stops it later."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from toolkit.errors import ToolkitError
from toolkit.recording.files import write_atomically

HOST_ALIAS = "toolkit-demo"
SHOP_NAME = "toolkit-shop"
"""The first part of the names of the shop's gunicorns."""

# Measured, see demo/README.md.
_HOT_SHARE = 0.75


class StartedProcess(BaseModel):
    """A process, by what no other one shares with it. `create_time` in seconds since the epoch."""

    model_config = ConfigDict(frozen=True)

    pid: int
    create_time: float


class SshEntry(BaseModel):
    """The SSH server before the service. `kind` is "openssh" or "asyncssh"."""

    model_config = ConfigDict(frozen=True)

    kind: str
    port: int
    alias: str
    config: Path
    process: StartedProcess


class ShopService(BaseModel):
    """One gunicorn of the shop: `name` is gateway, stock, payment or order; the gateway has no database."""

    model_config = ConfigDict(frozen=True)

    name: str
    url: str
    gunicorn: StartedProcess
    pidfile: Path
    access_log: Path
    error_log: Path
    database: Path | None


class ShopState(BaseModel):
    """The shop beside the service; `url` is the gateway's."""

    model_config = ConfigDict(frozen=True)

    url: str
    services: tuple[ShopService, ...]

    def service(self, name: str) -> ShopService:
        """The one of this name."""
        return next(one for one in self.services if one.name == name)


class DemoState(BaseModel):
    """A running demo. `gunicorn` is the arbiter, which leads a session of its own; `ssh` and `shop` are None where none was
    asked for.
    """

    model_config = ConfigDict(frozen=True)

    schema_number: Literal[1] = 1
    folder: Path
    url: str
    port: int
    gunicorn: StartedProcess
    ssh: SshEntry | None
    shop: ShopState | None = None
    pidfile: Path
    access_log: Path
    error_log: Path
    database: Path

    @property
    def gunicorn_pid(self) -> int:
        """The arbiter's PID."""
        return self.gunicorn.pid

    @property
    def hot_share(self) -> float:
        """The part (0…1) of the service's CPU samples under plans/demo.yml that `score_slots` has, give or take 0.15."""
        return _HOT_SHARE

    @property
    def ssh_config(self) -> Path | None:
        """The client's configuration that knows the alias `toolkit-demo`; None without an SSH server."""
        return self.ssh.config if self.ssh else None


def state_file(folder: Path) -> Path:
    """Where the state of the demo in `folder` stands."""
    return folder / "state.json"


def write_state(state: DemoState) -> None:
    """Keep it in its folder."""
    write_atomically(state_file(state.folder), state.model_dump_json(indent=2) + "\n")


def read_state(folder: Path) -> DemoState | None:
    """What was last written to `folder`, whether or not it still runs; None where nothing was.

    Raises:
        ToolkitError: the file is there and cannot be understood.
    """
    try:
        return DemoState.model_validate_json(state_file(folder).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise ToolkitError(
            f"{state_file(folder)} is not the state of a demo that this toolkit can read.",
            "End the demo's processes by hand if any run, then delete that file.",
        ) from error
