"""What a dead controller left is ended, fetched and removed; what another run is at is left alone."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from tests.gunicorns import until
from tests.integration.commands.calling import HTTP, PLAN, loading, phases

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.commands.calling import Started, Toolkit

pytestmark = [pytest.mark.needs_artillery, pytest.mark.needs_sshd]


def recording(toolkit: Toolkit) -> Started:
    """A run that has recorded for some seconds."""
    started = toolkit.start(
        *("profile-and-load", PLAN, "--scenario", HTTP, *phases(60)),
        *("--chunk", "2s", "--rate", "20", "--reports", str(toolkit.reports)),
    )
    started.wait_for("] drive load")
    until(lambda: loading(toolkit.reports), "the first requests")
    until(lambda: len(chunks_of(toolkit.run)) >= 4, "the first chunks", 20)
    return started


def chunks_of(run: Path) -> list[Path]:
    return sorted((run / "servers" / "web" / "stacks").glob("*.raw.gz"))


def stop(toolkit: Toolkit, *words: str) -> tuple[str, str]:
    done = toolkit.call("stop", PLAN, "--reports", str(toolkit.reports), *words)
    assert done.code == 0, done.err
    return done.out, done.err


def test_what_a_killed_controller_left_is_fetched_into_its_run(toolkit: Toolkit) -> None:
    started = recording(toolkit)
    started.send(signal.SIGKILL)
    started.process.wait(10)
    until(lambda: toolkit.agents() == [], "the agent's own end", 15)
    (folder,) = toolkit.folders_left()
    assert sorted(path.name for path in folder.iterdir()) == ["recordings"]
    before = chunks_of(toolkit.run)

    _, err = stop(toolkit)

    after = chunks_of(toolkit.run)
    assert set(after) > set(before)
    assert f"{len(after) - len(before)} chunks came into {toolkit.run}" in err
    rows = [
        json.loads(line)
        for line in (toolkit.run / "servers/web/stacks/chunks.jsonl").read_text().splitlines()
    ]
    described = [(row["view"], row["seq"]) for row in rows]
    assert len(set(described)) == len(described)
    assert {f"{view}-{seq:06d}.raw.gz" for view, seq in described} >= {path.name for path in after}
    assert err.splitlines()[-1] == f"Report: {toolkit.run / 'report.html'}"
    assert "hot" not in err
    assert (toolkit.run / "flamegraphs" / "web-wall.svg").exists()
    assert toolkit.left_over() == []
    assert list(toolkit.reports.glob(".stop.*")) == []
    assert "web: nothing was left there." in stop(toolkit)[1]


def test_on_another_machine_it_gets_a_folder_of_its_own(toolkit: Toolkit) -> None:
    started = recording(toolkit)
    name = toolkit.run.name
    started.send(signal.SIGKILL)
    started.process.wait(10)
    until(lambda: toolkit.agents() == [], "the agent's own end", 15)
    elsewhere = toolkit.folder / "elsewhere"

    done = toolkit.call("stop", PLAN, "--reports", str(elsewhere), "--run", name, "--json")

    assert done.code == 0, done.err
    told = json.loads(done.out)["servers"]["web"]
    assert told["fetched"] == {str(elsewhere / name): len(chunks_of(elsewhere / name))}
    assert chunks_of(elsewhere / name)
    assert (elsewhere / name / "report.html").exists()
    assert toolkit.left_over() == []


def test_a_living_run_is_left_alone_unless_it_is_named(toolkit: Toolkit) -> None:
    started = recording(toolkit)
    _, err = stop(toolkit)
    assert f"web: run {toolkit.run.name} of " in err
    assert f"is under way; --run {toolkit.run.name} would end it." in err
    assert started.process.poll() is None

    refused = toolkit.call(
        "profile-and-load", PLAN, "--scenario", HTTP, "--reports", str(toolkit.folder / "second")
    )
    assert refused.code == 77, refused.err
    assert f"is being profiled by run {toolkit.run.name} of " in refused.err
    assert f"--run {toolkit.run.name}" in refused.err
    assert list((toolkit.folder / "second").iterdir()) == []
    assert started.process.poll() is None

    _, err = stop(toolkit, "--run", toolkit.run.name)
    assert f"the agent of run {toolkit.run.name} of " in err
    started.send()
    done = started.finish()
    assert done.code == 130, done.err
    assert "The agent on web was lost" in done.err
    assert (toolkit.run / "report.html").exists()
    assert toolkit.left_over() == []


def test_words_for_what_it_cannot_do(toolkit: Toolkit) -> None:
    done = toolkit.call("stop")
    assert done.code == 2
    assert "No server to look at." in done.err
    done = toolkit.call("stop", "--server", "ssh://nobody@127.0.0.1:1")
    assert done.code == 69, done.err
