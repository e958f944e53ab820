"""Which address the canary asks, and the life of its process."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from toolkit.engines.leash import dies_with_parent
from toolkit.plan.secrets import mask_urls
from toolkit.recording.records import CANARY_AGENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from toolkit.plan.model import Canary as Choice
    from toolkit.recording.layout import GeneratorFolder

PROGRAM = Path(__file__).with_name("canary_process.py")
# By path and without site-packages: it starts in 50 ms, needs 18 MB and 1 % of a core.
ARGV = (sys.executable, "-I", "-S", str(PROGRAM))
_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_LEAVE_S = 0.5


def canary_url(choice: Choice, targets: Iterable[str]) -> str | None:
    """What to ask, without user-info: the plan's own choice, else the first of the addresses that is known before the run.

    None where the plan wants no canary, or nothing is known.
    """
    if choice.off:
        return None
    if choice.url:
        return _plain(choice.url)
    for target in targets:
        parts = urlsplit(target)
        if "{{" in target or not parts.hostname or parts.scheme.lower() not in _SCHEMES:
            continue
        path = choice.path or urlunsplit(("", "", parts.path or "/", parts.query, ""))
        return _plain(f"{_SCHEMES[parts.scheme.lower()]}://{parts.netloc}{path}")
    return None


def _plain(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path or "/", parts.query, ""))


@dataclass
class CanaryProcess:
    """The process. It ends with its standard input, and with the controller."""

    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        """For events.jsonl."""
        return self.process.pid

    def stop(self) -> str:
        """End it; what it died of before, else empty. It may be on a request: that is not waited for."""
        if self.process.stdin is not None:
            with suppress(OSError):
                self.process.stdin.close()
        for end in (self.process.terminate, self.process.kill):
            try:
                self.process.wait(_LEAVE_S)
                break
            except subprocess.TimeoutExpired:
                end()
        self.process.wait()
        said = self.process.stderr.read().decode(errors="replace").strip() if self.process.stderr else ""
        return said.splitlines()[-1] if said else ""


def start_canary(
    url: str, rate: float | None, run_id: str, folder: GeneratorFolder, environment: Mapping[str, str]
) -> CanaryProcess:
    """Start it, in that environment.

    Raises:
        OSError: it could not be started.
    """
    folder.path.mkdir(parents=True, exist_ok=True)
    told = {
        "url": url,
        "shown": mask_urls(url),
        "rate": rate,
        "file": str(folder.canary.resolve()),
        "id": f"{CANARY_AGENT}-{run_id}",
        "agent": CANARY_AGENT,
    }
    process = subprocess.Popen(
        ARGV,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C in the terminal is not for it
        preexec_fn=dies_with_parent(),
    )
    canary = CanaryProcess(process)
    with suppress(OSError):  # it died at once; `stop` says of what
        if process.stdin is not None:
            process.stdin.write(json.dumps(told).encode() + b"\n")
            process.stdin.flush()
    return canary
