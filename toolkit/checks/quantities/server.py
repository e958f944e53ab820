"""What was watched on the servers: the service, its workers together or each, the host."""

from __future__ import annotations

from toolkit.checks.quantity import GAUGE, HAPPENINGS, Quantity
from toolkit.checks.units import CORES, COUNT, SHARE, SIZE, Unit
from toolkit.recording.metric_fields import COUNTER, HOST, PROCESS, SERVICE, Metric

TAGS = ("phase", "server")
_UNITS = {"bytes": SIZE, "core-s": CORES, "cores": CORES, "s": SHARE}
_CPU = Metric(COUNTER, "core-s", "user and system, all together")
_NO_SUM = ("uss", "descriptors_limit")
"""Of these no sum over the workers makes sense: they are not read in every line."""


def unit_of(metric: Metric) -> Unit:
    """The unit in which it is checked: of a counter its growth a second; of seconds a second, the percent of the time."""
    unit = _UNITS.get(metric.unit, COUNT)
    if metric.kind != COUNTER or unit in (CORES, SHARE):
        return unit
    return Unit(unit.of, "s")


def _gauges(prefix: str, measure: str, metrics: dict[str, Metric], words: str) -> list[Quantity]:
    return [
        Quantity(
            f"{prefix}{name}",
            f"{words}{metric.meaning or name.replace('_', ' ')}",
            unit_of(metric),
            GAUGE if not unit_of(metric).per else tuple(one for one in GAUGE if one != "slope"),
            "metrics",
            f"{measure}.{name}",
            TAGS,
            "server",
        )
        for name, metric in metrics.items()
    ]


_SUMMED = {name: metric for name, metric in PROCESS.items() if name not in _NO_SUM}

QUANTITIES = (
    *_gauges("server.", "service", SERVICE, ""),
    *_gauges("server.", "workers", {"cpu": _CPU, **_SUMMED}, "of all workers together: "),
    *_gauges("server.worker.", "worker", {"cpu": _CPU, **PROCESS}, "of each worker, the worst decides: "),
    *_gauges("server.host.", "host", {"cpu": _CPU, **HOST}, "of the host: "),
    Quantity(
        "server.deaths", "workers that ended", COUNT, HAPPENINGS, "deaths", "died", (*TAGS, "cause"), "server"
    ),
)
