"""The last look before a run folder is handed on: none of the secrets that this run was told may stand in it."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from toolkit.plan.model import Plan

SHORTEST = 6
"""Characters: anything shorter stands in any folder by chance."""

_BLOCK = 1 << 20
_COMPRESSED = {".parquet"}
"""Derived of files that are looked at; their own bytes are packed in a way that shows nothing."""


def secrets_of(plan: Plan) -> list[str]:
    """The passwords that stand in the plan's own addresses."""
    scenarios = [one.consistency for one in plan.load.scenarios if one.consistency] if plan.load else []
    databases = [table.database for one in scenarios for table in one.verify.read.values()]
    addresses = [plan.target, *(server.address for server in plan.servers), *databases]
    found = [urlsplit(address).password for address in addresses if "@" in address]
    return [unquote(password) for password in found if password]


def environment_without_secrets(plan: Plan) -> dict[str, str]:
    """Our environment but for the variables that the plan takes secrets from: no program that drives load needs those."""
    references = [each for server in plan.servers for each in (server.sudo_password, server.ssh.password)]
    scenarios = plan.load.scenarios if plan.load else []
    references += [host.ssh.password for one in scenarios if one.locust for host in one.locust.away()]
    named = {each.removeprefix("env:") for each in references if each and each.startswith("env:")}
    return {name: value for name, value in os.environ.items() if name not in named}


def files_with(folder: Path, secrets: Iterable[str]) -> list[Path]:
    """The files below `folder` that hold one of `secrets`, relative to it; what is compressed by gzip is looked into."""
    wanted = [form for secret in secrets if len(secret) >= SHORTEST for form in _forms(secret)]
    if not wanted:
        return []
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return [
        path.relative_to(folder)
        for path in files
        if path.suffix not in _COMPRESSED and any(_holds(path, wanted))
    ]


def _forms(secret: str) -> set[bytes]:
    """As it may stand in text, in JSON and in an address."""
    return {
        text.encode("utf-8", "replace")
        for text in (
            secret,
            json.dumps(secret)[1:-1],
            json.dumps(secret, ensure_ascii=False)[1:-1],
            quote(secret, safe=""),
        )
    }


def _holds(path: Path, wanted: list[bytes]) -> Iterator[bool]:
    overlap = max(map(len, wanted)) - 1
    rest = b""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as file:
            while block := file.read(_BLOCK):
                text = rest + block
                yield any(form in text for form in wanted)
                rest = text[-overlap:] if overlap else b""
    except (OSError, EOFError, zlib.error):
        return  # torn, as a killed agent may leave it: what came before was looked at
