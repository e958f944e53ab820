"""Where the files that travel with the toolkit lie: in a checkout beside the package, in a wheel inside it."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
_CHECKOUT = _PACKAGE.parent


def carried(name: str) -> Path:
    """The folder or file `name` (`loadtesting`, `profile`, `demo`, `plans`, `package.json`)."""
    inside = _PACKAGE / "_data" / name
    return inside if inside.exists() else _CHECKOUT / name


def in_checkout() -> bool:
    """Whether this is a checkout rather than an installed wheel."""
    return not (_PACKAGE / "_data").exists()


def cache_folder() -> Path:
    """Where downloads are kept between runs: `TOOLKIT_CACHE`, else the user's cache folder."""
    named = os.environ.get("TOOLKIT_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gunicorn-load-profile-toolkit"


def node_folder() -> Path:
    """The folder that holds `node_modules`: the checkout, or the cache of an installed toolkit."""
    return _CHECKOUT if in_checkout() else cache_folder() / "node"
