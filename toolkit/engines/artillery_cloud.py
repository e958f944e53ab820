"""Artillery on AWS Fargate or Azure, by its own command and workers. What comes back are sums: our recorder is not there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.engines.artillery import Artillery, console_of, flags_of, signalled
from toolkit.engines.artillery_script import load_script
from toolkit.engines.base import Ending, Launch
from toolkit.engines.cloud_options import PLACES
from toolkit.engines.ensure import ensured
from toolkit.engines.events import last_words
from toolkit.engines.node import artillery_folder, find_node
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.engines.base import LoadJob
    from toolkit.engines.cloud_options import CloudOptions
    from toolkit.recording.layout import LoadFolder

_BEGINS_S = 1800.0
"""Until workers run in a cloud, and until the last of them has told its sums."""
_STOPS_S = 90.0
"""Artillery ends its workers when it is asked to end; killed before, it would leave them at their load."""


class ArtilleryCloud(Artillery):
    """The engine `artillery-cloud`."""

    name = "artillery-cloud"

    def check(self, job: LoadJob) -> list[str]:
        """As Artillery's."""
        if job.cloud is None:
            return [f"{job.file}: the engine artillery-cloud needs fargate: or azure: in the plan."]
        return super().check(job)

    def remarks(self, job: LoadJob) -> list[str]:
        """What it means to run there."""
        if job.cloud is None:
            return []
        place, count = PLACES[job.cloud.place], job.cloud.workers
        return [
            f"{job.file}: {place.name} in {job.cloud.region}, which costs money: {count} workers, each plays the whole file; "
            "of it there are sums, no single requests and no request ids.",
            *super().remarks(job),
        ]

    def launch(self, job: LoadJob, folder: LoadFolder) -> Launch:
        """The command for a job.

        Raises:
            UsageError: Node or Artillery is missing or too old; the file cannot be read.
        """
        node, artillery = find_node(), artillery_folder()
        _, mistakes = load_script(job)
        if mistakes or job.cloud is None:
            raise UsageError(
                "".join(mistakes[:1]) or "No cloud is named.", "Run `toolkit doctor` to see every mistake."
            )
        here = super().launch(job, folder)
        return Launch(
            argv=(
                *(str(node.path), str(artillery / "bin" / "run"), PLACES[job.cloud.place].command),
                *("--output", str(folder.engine_json.resolve())),
                *_passed(job.cloud),
                *flags_of(job),
                str(job.file.resolve()),
            ),
            env={"ARTILLERY_DISABLE_TELEMETRY": "true"},
            cwd=Path.cwd(),
            planned_s=here.planned_s,
            deadline_s=here.deadline_s + _BEGINS_S,
            sends_after=True,  # nobody here sees when its last user has left
            stop_s=_STOPS_S,
        )

    def users_arrive(self, folder: LoadFolder) -> bool:
        """Nobody here sees it."""
        del folder
        return False

    def users_left(self, folder: LoadFolder) -> bool:
        """Nobody here sees it."""
        del folder
        return False

    def ending(self, exit_code: int, folder: LoadFolder, stopped_by_us: bool) -> Ending:
        """What an exit code means; without the sums there is nothing to judge."""
        if stopped_by_us:
            return Ending("interrupted", "it was stopped before its end")
        checks = ensured(console_of(folder)) or _of_file(folder)
        ending = signalled(exit_code)
        if ending is None and not sums_of(folder):
            return Ending(
                "failed", f"Artillery brought no sums (exit code {exit_code}): {last_words(folder)}"
            )
        failed = [str(one["check"]) for one in checks if not one["held"]]
        if ending is None and failed:
            ending = Ending(
                "check-failed", f"a threshold of the scenario file did not hold (ensure: {'; '.join(failed)})"
            )
        if ending is None and exit_code:
            # A worker that failed is missing in the sums, and nothing there says how much of them.
            ending = Ending("invalid", f"Artillery ended with exit code {exit_code}: {last_words(folder)}")
        return replace(ending or Ending("passed"), checks=checks)

    def collect(self, folder: LoadFolder) -> None:
        """There are no records."""
        del folder


def sums_of(folder: LoadFolder) -> dict[str, Any]:
    """`aggregate` of Artillery's report; empty where it wrote none."""
    try:
        said = json.loads(folder.engine_json.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    found = said.get("aggregate") if isinstance(said, dict) else None
    return found if isinstance(found, dict) else {}


def _passed(cloud: CloudOptions) -> list[str]:
    return [word for name, value in cloud.flags for word in (f"--{name}", value) if word is not None]


def _of_file(folder: LoadFolder) -> tuple[dict[str, Any], ...]:
    """Of Fargate the thresholds stand in the report too."""
    try:
        rows = json.loads(folder.engine_json.read_text(encoding="utf-8")).get("ensure") or []
    except (OSError, ValueError, AttributeError):
        return ()
    return tuple(
        {
            "check": str(row.get("condition")),
            "held": bool(row.get("success")) or not row.get("strict"),
            "words": "" if row.get("success") or row.get("strict") else "did not hold, and is optional",
        }
        for row in rows
        if isinstance(row, dict)
    )
