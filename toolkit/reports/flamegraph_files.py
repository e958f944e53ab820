"""A recorded flame as a file: its path in the run folder, and its drawing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from toolkit.reports.flamegraph_svg import render_svg

if TYPE_CHECKING:
    from toolkit.analysis.results import Flame


def flame_path(flame: Flame) -> str:
    """`flamegraphs/<server>-<view>.svg` or `flamegraphs/<server>-<view>-worker-<pid>.svg`."""
    # Names of servers are checked by the plan; a run folder that somebody edited must still not name a file elsewhere.
    server, view = (re.sub(r"[^A-Za-z0-9._-]|^\.+", "_", part) for part in (flame.server, flame.view))
    worker = "" if flame.worker is None else f"-worker-{flame.worker}"
    return f"flamegraphs/{server}-{view}{worker}.svg"


def flame_svg(flame: Flame, *, bare: bool = False) -> str:
    """The drawing of `flame`; `bare` as in `render_svg`."""
    return render_svg(
        flame.stacks,
        title=flame.title,
        seconds_per_count=1e-6,
        detail=f"recorded for {flame.seconds:,.1f} s at {flame.rate_hz:.3g} Hz",
        note=flame.note,
        bare=bare,
    )
