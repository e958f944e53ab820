"""Whether two runs can be compared: a sentence for each thing that makes a difference of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from toolkit.analysis.trust.reading import read_generator
from toolkit.recording.checksums import changed_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from toolkit.analysis.trust.reading import Generator
    from toolkit.recording.layout import RunFolder
    from toolkit.recording.manifest import Manifest

_SAME_RATE = 0.01
_UNFINISHED = {
    "running": "never came to its end",
    "interrupted": "was interrupted",
    "failed": "failed",
}
_FACTS = (
    ("hostname", "the host"),
    ("cpus", "the number of CPUs"),
    ("memory_bytes", "the memory"),
    ("machine", "the machine's architecture"),
)
"""Facts of a server that make it another one."""
_SOFTWARE = (("kernel", "kernel"), ("target_python", "Python"))
_SCENARIO = ("engine", "overrides", "variables", "environment", "ack_timeout")


@dataclass
class Doubts:
    """Why two runs cannot be compared, and what a reader must know where they are."""

    invalid: list[str] = field(default_factory=list)
    """The numbers of a run must not be used."""
    different: list[str] = field(default_factory=list)
    """They differ in more than the service."""
    notes: list[str] = field(default_factory=list)

    @property
    def reasons(self) -> list[str]:
        """All that forbids it."""
        return [*self.invalid, *self.different]


@dataclass(frozen=True)
class Told:
    """What a run says of itself."""

    side: str
    """base or new."""
    folder: RunFolder
    manifest: Manifest
    plan: dict[str, Any]
    generator: Generator

    @classmethod
    def of(cls, side: str, folder: RunFolder, manifest: Manifest) -> Told:
        """Read it."""
        return cls(side, folder, manifest, _plan(folder), read_generator(folder))


def doubts_about(base: Told, new: Told) -> Doubts:
    """Everything that stands against comparing them. It reads what is recorded, not the tables."""
    doubts = Doubts()
    for one in (base, new):
        doubts.invalid += _invalid(one)
        doubts.different += _unfinished(one)
    doubts.different += [
        *_hosts(base, new),
        *_plans(base, new),
        *_rates(base, new),
        *_profilers(base, new),
    ]
    doubts.notes += _notes(base, new)
    return doubts


def _invalid(one: Told) -> Iterator[str]:
    if one.manifest.outcome == "invalid":
        yield f"{one.side} is invalid: {one.manifest.reason or 'its numbers must not be used.'}"


def _unfinished(one: Told) -> Iterator[str]:
    if one.manifest.outcome in _UNFINISHED:
        reason = f": {one.manifest.reason}" if one.manifest.reason else "."
        yield f"{one.side} {_UNFINISHED[one.manifest.outcome]}{reason}"
    damaged = [sentence for _, sentence in changed_files(one.folder)]
    if damaged:
        more = f" (and {len(damaged) - 1} more)" if len(damaged) > 1 else ""
        yield f"{one.side} is damaged: {damaged[0]}{more}"


def _hosts(base: Told, new: Told) -> Iterator[str]:
    targets = [urlsplit(one.manifest.target).hostname or "" for one in (base, new)]
    if targets[0] != targets[1]:
        yield f"the target is another one: {targets[0] or 'not recorded'}, {targets[1] or 'not recorded'}."
    servers = [{entry.name: entry for entry in one.manifest.servers} for one in (base, new)]
    if servers[0].keys() != servers[1].keys():
        yield f"other servers were watched: {_listed(servers[0])}; {_listed(servers[1])}."
    for name in sorted(servers[0].keys() & servers[1].keys()):
        facts = [its[name].facts for its in servers]
        for key, words in _FACTS:
            values = [one.get(key) for one in facts]
            if None not in values and values[0] != values[1]:
                yield f"{words} of server {name} is another one: {values[0]}, {values[1]}."
    cores = [{row.get("cores") for row in one.generator.cpu} - {None} for one in (base, new)]
    if cores[0] and cores[1] and cores[0] != cores[1]:
        yield f"the load came from a machine with other CPUs: {_listed(cores[0])}, {_listed(cores[1])} cores."


def _plans(base: Told, new: Told) -> Iterator[str]:
    if base.manifest.kind != new.manifest.kind:
        yield f"one is a run of `{base.manifest.kind}`, the other of `{new.manifest.kind}`."
        return
    loads = [_object(one.plan.get("load")) for one in (base, new)]
    scenarios = [
        {str(_object(row).get("name")): _object(row) for row in _list(load.get("scenarios"))}
        for load in loads
    ]
    if scenarios[0].keys() != scenarios[1].keys():
        yield f"the plans drive other scenarios: {_listed(scenarios[0])}; {_listed(scenarios[1])}."
    if loads[0].get("order") != loads[1].get("order"):
        yield "one plan drives its scenarios side by side, the other one after another."
    for name in sorted(scenarios[0].keys() & scenarios[1].keys()):
        changed = [key for key in _SCENARIO if scenarios[0][name].get(key) != scenarios[1][name].get(key)]
        if changed:
            yield f"scenario {name} has other {_listed(changed)} in the plan."


def _rates(base: Told, new: Told) -> Iterator[str]:
    """What the generator was told to do, phase by phase: what it did may be the service's doing."""
    sides = [
        {
            (load.name, phase): told
            for load in one.generator.loads
            for phase, told in _scheduled(load.schedules)
        }
        for one in (base, new)
    ]
    for key in sorted(sides[0].keys() | sides[1].keys()):
        load, phase = key
        where = f"phase {phase} of {load}"
        if key not in sides[0] or key not in sides[1]:
            yield f"{where} is in {'base' if key in sides[0] else 'new'} alone."
            continue
        (mode_a, *numbers_a), (mode_b, *numbers_b) = sides[0][key], sides[1][key]
        pairs = list(
            zip(
                ("duration (s)", "rate (/s)", "rate at its end (/s)", "users"),
                numbers_a,
                numbers_b,
                strict=True,
            )
        )
        if mode_a != mode_b:
            yield f"{where} has another kind of arrivals: {mode_a}, {mode_b}."
        for words, a, b in pairs:
            if abs(a - b) > _SAME_RATE * max(a, b):
                yield f"{where} has another {words}: {a:g}, {b:g}."


def _scheduled(schedules: list[dict[str, Any]]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Phase → mode, duration, and the sums of all threads: rate, ramp_to, count."""
    by_phase: dict[int, list[dict[str, Any]]] = {}
    for row in schedules:
        by_phase.setdefault(int(row.get("index") or 0), []).append(row)
    for index, its in sorted(by_phase.items()):
        sums = [sum(float(row.get(name) or 0) for row in its) for name in ("rate", "ramp_to", "count")]
        name = str(its[0].get("phase") or index + 1)
        yield name, (str(its[0].get("mode")), float(its[0].get("duration_s") or 0), *sums)


def _profilers(base: Told, new: Told) -> Iterator[str]:
    sides = [
        {
            entry.name: sorted(
                name for name, view in entry.views.items() if _object(view).get("valid") is not False
            )
            for entry in one.manifest.servers
        }
        for one in (base, new)
    ]
    on = [any(views for views in side.values()) for side in sides]
    if on[0] != on[1]:
        yield f"the profiler was on in {'base' if on[0] else 'new'} alone: it takes CPU time of the server."
        return
    for name in sorted(sides[0].keys() & sides[1].keys()):
        if sides[0][name] != sides[1][name]:
            yield f"other views of server {name} were recorded: {_listed(sides[0][name])}; {_listed(sides[1][name])}."
    budgets = [_object(one.plan.get("profile")).get("budget") for one in (base, new)]
    if on[0] and budgets[0] != budgets[1]:
        yield f"the profiler had another budget: {budgets[0]}, {budgets[1]}."


def _notes(base: Told, new: Told) -> Iterator[str]:
    versions = [one.manifest.versions for one in (base, new)]
    for name in ("toolkit", "artillery", "node"):
        yield from _another(name, f"{name} is another one", *versions)
    servers = [{entry.name: entry.facts for entry in one.manifest.servers} for one in (base, new)]
    for name in sorted(servers[0].keys() & servers[1].keys()):
        for key, words in _SOFTWARE:
            yield from _another(key, f"server {name} has another {words}", *(its[name] for its in servers))
        gunicorns = [_object(its[name].get("gunicorn")) for its in servers]
        for key in ("version", "worker_class", "workers"):
            yield from _another(key, f"gunicorn of server {name} has another {key}", *gunicorns)
    for one in (base, new):
        trust = _summary_trust(one.folder)
        if trust.get("verdict") == "doubtful":
            yield f"{one.side} is doubtful: {_listed(trust.get('reasons') or ['its report says why.'])}"


def _another(key: str, words: str, base: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    if key in base and key in new and base[key] != new[key]:
        yield f"{words}: {base[key]}, {new[key]}."


def _summary_trust(folder: RunFolder) -> dict[str, Any]:
    try:
        return _object(_object(json.loads(folder.summary_json.read_bytes())).get("trust"))
    except (OSError, ValueError, RecursionError):
        return {}


def _plan(folder: RunFolder) -> dict[str, Any]:
    try:
        return _object(YAML(typ="safe", pure=True).load(folder.plan.read_text(encoding="utf-8")))
    except (OSError, ValueError, YAMLError):
        return {}


def _object(value: Any) -> dict[str, Any]:  # noqa: ANN401 - as read from a file
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:  # noqa: ANN401 - as read from a file
    return value if isinstance(value, list) else []


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(str(value) for value in values) or "none"
