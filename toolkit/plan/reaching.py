"""How a plan says where a host is and how to log in there: of servers that are profiled, and of those that lend their CPU."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from toolkit.plan.quantities import Duration
from toolkit.plan.secrets import SecretReference


def server_address(value: str) -> str:
    """As a plan may write it, without a slash at its end."""
    if value == "local":  # YAML takes `local:` only in quotes
        return "local:"
    if value != "local:" and not re.match(r"^ssh://[^/\s]+/?$", value):
        raise ValueError(f"{value!r} is no server address; write ssh://user@host, ssh://alias or local:")
    if "@" in value and ":" in value.removeprefix("ssh://").split("@")[0]:
        raise ValueError("a password does not belong in an address; use ssh.password: prompt: or a key")
    return value.rstrip("/")


class Ssh(BaseModel):
    """How to reach a server over SSH, where ~/.ssh/config does not say it."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    config: Path | None = Field(None, description="client configuration; default ~/.ssh/config")
    known_hosts: Path | None = Field(None, description="default ~/.ssh/known_hosts and the system's")
    identity: Path | None = Field(None, description="a private key")
    password: SecretReference | None = Field(
        None, description="account password or key passphrase: env:NAME, file:PATH or prompt:"
    )
    timeout: Duration | None = Field(None, description="for connecting; default: ConnectTimeout, else 15 s")
