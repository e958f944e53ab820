"""What a run would do: every step, command and path, from the same definitions that a run uses."""

from __future__ import annotations

import shlex
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from toolkit.commands.dry_run_server import ServerSteps
from toolkit.engines.node import find_node
from toolkit.engines.registry import engine
from toolkit.plan.kinds import RECOVERY_LOAD, kind_of, recovery_of
from toolkit.plan.limits import limits_of
from toolkit.plan.secrets import mask_urls, masked
from toolkit.recording.layout import RunFolder
from toolkit.run.canary import ARGV as CANARY_ARGV
from toolkit.run.canary_process import RATE as CANARY_RATE
from toolkit.run.jobs import canary_of, in_turn, planned_loads
from toolkit.run.stages import LOAD, PROFILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.plan.model import Plan
    from toolkit.run.stages import RunKind


def steps_of(plan: Plan, kind: RunKind) -> list[str]:
    """The run, a sentence a step, in order; nothing is connected to, started or written."""
    folder = RunFolder(plan.reports / f"<UTC start>-{plan.name}")
    servers = [] if kind is LOAD else [ServerSteps(plan, server, folder) for server in plan.servers]
    steps = [*_before(plan, folder)]
    for server in servers:
        steps += server.before()
    if kind is not PROFILE:
        steps += _load(plan, folder)
    else:
        steps.append("profile until the duration is over or Ctrl-C")
    # A run undoes in reverse, and goes to every server before it takes the next step.
    steps += chain.from_iterable(zip(*(server.after() for server in reversed(servers)), strict=True))
    steps.append(
        f"build {folder.tables}/, {folder.flamegraphs}/, {folder.summary_text}, {folder.summary_json}, {folder.junit}, "
        f"{folder.step_summary}, "
        f"{folder.page}, {folder.postmortem}, {folder.exports}/, {folder.checksums}"
    )
    if kind is PROFILE:
        steps.append("copy each server's flamegraph to ./profile-<PID of its gunicorn>.svg")
    return [*steps, f"point {plan.reports / 'latest'} to it"]


def _before(plan: Plan, folder: RunFolder) -> Iterator[str]:
    yield "check the engines, scenario files, disk, open files and the target, as toolkit doctor does"
    scenarios = plan.load.scenarios if plan.load else []
    if any(scenario.engine in ("artillery", "artillery-cloud") for scenario in scenarios):
        yield f"check: {find_node().path} --version"
    for scenario in scenarios:
        made = engine(scenario.engine)
        if scenario.consistency is not None:
            yield f"check {scenario.name}: {made.check_input}"
            continue
        if scenario.file is None:
            continue  # what stands in the plan was read with it
        if not made.check_argv():
            yield f"check {scenario.file}: read it"
            continue
        yield f"check {scenario.file}: {shlex.join(made.check_argv())}, {made.check_input}"
    yield f"make {folder.path}/ and write {folder.plan} with secrets masked"
    for scenario in plan.load.scenarios if plan.load else []:
        if scenario.file is not None:
            yield f"read {scenario.file}"


def _load(plan: Plan, folder: RunFolder) -> Iterator[str]:
    load = plan.load
    if load is None:
        return
    how = "one after another" if in_turn(plan) else "side by side"
    target = mask_urls(plan.target) if plan.target else "each file's own target"
    canary = canary_of(plan)
    if canary is not None:
        pace = f"{load.canary.rate or CANARY_RATE:g} a second"
        yield f"canary: {shlex.join(CANARY_ARGV)}"
        yield f"canary: GET {mask_urls(canary)}, {pace}, from before the load until after it; to {folder.generator.canary}"
    yield f"every second: CPU and memory of the generator and of this machine, to {folder.generator.cpu}"
    yield f"load {target} with {len(load.scenarios)} scenario file(s), {how}"
    for planned in planned_loads(plan):
        scenario, name, into = planned.scenario, planned.name, folder.load(planned.name)
        if planned.replicas is not None and load.scale is not None:
            yield f"{name}: scaled before to {planned.replicas}, if it is not: sh -c {shlex.quote(mask_urls(load.scale.command))}"
            yield f"{name}: ready when {mask_urls(load.scale.ready) or 'that has ended'}; output to {folder.scale_log}"
        job = planned.job
        shown = replace(  # what is printed is pasted somewhere
            job,
            target=mask_urls(job.target),
            overrides=masked(job.overrides),
            variables=masked(job.variables),
            send=masked(job.send),
            consistency=masked(job.consistency),
            k6=job.k6 and job.k6.shown(masked),
            cloud=job.cloud and job.cloud.shown(masked),
        )
        launch = engine(scenario.engine).launch(shown, into)
        yield f"{name}: {shlex.join(launch.argv)}"
        lasts = f"lasts about {launch.planned_s:.0f} s" if launch.planned_s else "lasts until it is done"
        yield f"{name}: {lasts}; is ended after {launch.deadline_s:.0f} s"
        environment = (f"{key}={shlex.quote(value)}" for key, value in sorted(launch.env.items()))
        yield f"{name}: with {' '.join(environment)}"
        for helper in launch.helpers:
            yield f"{name}, {helper.name}: {shlex.join(helper.argv)}"
        yield f"{name}: records to {into.requests}, output to {into.console}"
        if kind_of(plan) == "stress" and (again := recovery_of(plan, scenario)):
            limits = "; ".join(entry["check"] for entry in limits_of(plan.checks))
            yield f"{scenario.name}: ended as soon as one does not hold: {limits}"
            lasts_s, then = (
                sum(phase.duration_s for phase in again),
                folder.load(scenario.name + RECOVERY_LOAD),
            )
            yield f"{scenario.name}: then once more at its first step, for {lasts_s:.0f} s, to {then.path}/"
