"""The agent's modules are top-level ones, as in its zip; here they are imported from their folder."""

from __future__ import annotations

import sys
from pathlib import Path

AGENT = str(Path(__file__).parents[3] / "profile" / "agent")

if AGENT not in sys.path:
    sys.path.append(AGENT)
