"""How each source of `toolkit/checks/quantities` is measured; a new source is a function and a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.analysis.checks import of_requests, of_run, of_servers

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.analysis.checks.measured import Given, Measured
    from toolkit.checks.check import Check

MEASURES: dict[str, Callable[[Check, Given], Measured]] = {
    "requests": of_requests.measure,
    "metrics": of_servers.measure,
    "deaths": of_servers.measure_deaths,
    "records": of_run.measure_records,
    "traffic": of_run.measure_traffic,
    "consistency": of_run.measure_consistency,
    "generator": of_run.measure_generator,
}
