"""What servers and scenarios are called that a plan gives no name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


def server_name(data: Any) -> str:  # noqa: ANN401 - before validation it may be anything
    """What reports call a server: its name, else from its address; empty where it has neither."""
    written = _written(data)
    address = data.get("address") if isinstance(data, dict) else None
    if written is not None or not isinstance(address, str):
        return written or ""
    address = address.strip()
    try:
        host = "local" if address in {"local", "local:"} else (urlsplit(address).hostname or "server")
    except ValueError:  # its own field says that it is wrong
        host = ""
    return _as_name(host) or "server"


def scenario_name(data: Any) -> str:  # noqa: ANN401 - before validation it may be anything
    """What reports call a scenario: its name, else from its file; empty where it has neither."""
    written = _written(data)
    file = data.get("file") if isinstance(data, dict) else data
    if written is None and isinstance(data, dict) and file is None and data.get("consistency") is not None:
        return "consistency"
    if written is None and isinstance(data, dict) and file is None and data.get("k6") is not None:
        return "k6"
    if written is not None or not isinstance(file, (str, Path)) or not str(file).strip():
        return written or ""
    return _as_name(Path(str(file).strip()).stem) or "scenario"


def _written(data: Any) -> str | None:  # noqa: ANN401 - before validation it may be anything
    """None where no name was written; empty where it is no text, which its own field says."""
    name = data.get("name") if isinstance(data, dict) else None
    if isinstance(name, str):
        return name.strip() or None
    return None if not name else ""


def _as_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", text).lstrip("-._")
