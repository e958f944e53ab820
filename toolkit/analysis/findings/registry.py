"""Every rule, one line each, in the order in which they are shown among equals: what spoils the numbers first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.analysis.findings import (
    cpu_bound,
    errors,
    garbage,
    generator,
    gil,
    host_cpu,
    host_memory,
    leaks,
    pool_exhausted,
    restarts,
    slow_after_restart,
    too_few_workers,
    uneven_servers,
    uneven_workers,
    waiting,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from toolkit.analysis.findings.evidence import Evidence
    from toolkit.analysis.findings.finding import Said

    Rule = Callable[[Evidence], Iterator[Said]]

RULES: dict[str, Rule] = {
    "generator": generator.rule,
    "errors": errors.rule,
    "restarts": restarts.rule,
    "pool-exhausted": pool_exhausted.rule,
    "too-few-workers": too_few_workers.rule,
    "cpu-bound": cpu_bound.rule,
    "gil-contention": gil.rule,
    "waiting": waiting.rule,
    "host-cpu": host_cpu.rule,
    "host-memory": host_memory.rule,
    "leak": leaks.rule,
    "slow-after-restart": slow_after_restart.rule,
    "uneven-workers": uneven_workers.rule,
    "uneven-servers": uneven_servers.rule,
    "garbage-collection": garbage.rule,
}
