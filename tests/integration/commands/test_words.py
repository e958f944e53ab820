"""What a person and a script see: mistakes, JSON, quiet, colours, pipes, terminals; and the question before going out."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import shlex
import signal
import subprocess
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.gunicorns import until
from tests.integration.commands.calling import HTTP, PLAN, SOCKET, phases

if TYPE_CHECKING:
    from tests.integration.commands.calling import Done, Toolkit

pytestmark = [pytest.mark.needs_artillery, pytest.mark.needs_sshd]

ESCAPE = "\x1b["


def test_all_mistakes_of_a_plan_at_once_each_with_its_line_and_what_was_meant(toolkit: Toolkit) -> None:
    plan = toolkit.folder / "mine.yml"
    plan.write_text(
        "version: 1\n"
        "target: localhost:8000\n"
        "servers:\n"
        "  - adress: ssh://web1\n"
        "profile:\n"
        "  budget: lots\n"
        "load:\n"
        "  order: paralel\n"
        "  scenarios:\n"
        f"    - file: {HTTP}\n"
    )
    done = toolkit.call("profile-and-load", "mine.yml")
    assert (done.code, done.out) == (2, "")
    assert "5 mistakes in mine.yml" in done.err
    for place in ("mine.yml:2: target", "mine.yml:4: servers.0.adress", "mine.yml:6: profile.budget"):
        assert place in done.err
    assert "did you mean 'address'?" in done.err
    assert "did you mean 'parallel'?" in done.err
    assert not toolkit.reports.exists()


def test_a_secret_in_a_plan_is_refused_without_being_shown(toolkit: Toolkit) -> None:
    plan = toolkit.folder / "mine.yml"
    plan.write_text(
        "servers:\n"
        "  - {name: a, address: ssh://web1, ssh: {password: Hunter2-4711}}\n"
        "  - {name: b, address: 'ssh://me:Hunter2-4711@web1', sudo_password: Hunter2-4711}\n"
    )
    for command in ("profile", "doctor"):
        done = toolkit.call(command, "mine.yml")
        assert done.code == 2
        assert "3 mistakes" in done.err
        assert "Hunter2" not in done.err


def test_a_dry_run_says_everything_and_does_nothing(toolkit: Toolkit) -> None:
    served = toolkit.asked
    logged_in = (toolkit.demo.folder / "sshd.log").read_bytes()
    before = set(toolkit.folder.rglob("*"))
    done = toolkit.call("profile-and-load", PLAN, "--dry-run", "--reports", str(toolkit.reports))
    assert done.code == 0
    assert done.out == ""
    numbers = [int(match) for match in re.findall(r"^ *(\d+)\. ", done.err, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    for words in (
        "connect to ssh://toolkit-demo",
        "agent.pyz",
        "py-spy' record",
        "artillery/bin/run run",
        HTTP,
        SOCKET,
        f"--target {toolkit.demo.url}",
        str(toolkit.reports),
        "requests.jsonl.gz",
        "report.html",
    ):
        assert words in done.err, words
    own = {path for path in toolkit.folder.iterdir() if path.name.startswith(("out-", "err-"))}
    assert set(toolkit.folder.rglob("*")) - own == before - own
    assert toolkit.asked == served
    assert (toolkit.demo.folder / "sshd.log").read_bytes() == logged_in


def _pattern(command: str) -> re.Pattern[str]:
    """What may stand in the place of a directory is one, in that of anything else a number."""
    parts = re.split(r"(<[^>]*>)", command)
    places = {"<directory>": r"/[^ ]+"}
    return re.compile(
        "".join(places.get(part, r"[\d.]+") if part[:1] == "<" else re.escape(part) for part in parts)
    )


def test_a_dry_run_names_the_very_py_spy_that_is_started(toolkit: Toolkit) -> None:
    words = ["profile", PLAN, "--duration", "4s", "--reports", str(toolkit.reports)]
    steps = json.loads(toolkit.call(*words, "--dry-run", "--json").out)["steps"]
    commands = [shlex.split(step.split(": ")[-1]) for step in steps if "/py-spy' record" in step]
    said = [_pattern(" ".join(command)) for command in commands]
    assert len(said) == 2, "wall and cpu"
    started = toolkit.start(*words)
    started.wait_for("] profile")
    seen = set[str]()

    def all_workers() -> bool:
        seen.update(
            " ".join(process.cmdline()) for process in toolkit.agents() if "record" in process.cmdline()
        )
        return len({line.split(" -p ")[1].split()[0] for line in seen}) >= 5  # the arbiter and four workers

    until(all_workers, "a py-spy for each process")
    for line in seen:
        assert any(pattern.fullmatch(line) for pattern in said), (line, commands)
    assert started.finish().code == 0


@pytest.mark.parametrize(
    "words",
    [
        ["--target", "http://192.0.2.1"],
        ["--target", "http://nowhere.invalid"],
        ["--set", "servers.0.address=ssh://192.0.2.1"],
    ],
)
def test_away_from_this_machine_somebody_must_have_said_yes(toolkit: Toolkit, words: list[str]) -> None:
    done = toolkit.call("profile-and-load", PLAN, *words, "--reports", str(toolkit.reports))
    assert done.code == 2
    assert "Not on this machine: " in done.err
    assert "--yes" in done.err
    assert done.seconds < 10
    assert toolkit.runs == []


def test_a_dry_run_asks_nothing(toolkit: Toolkit) -> None:
    done = toolkit.call("load", "--scenario", HTTP, "--target", "http://user:Hunter2@192.0.2.1", "--dry-run")
    assert done.code == 0
    assert "192.0.2.1" in done.err
    assert "Hunter2" not in done.err


@pytest.fixture(scope="module")
def by_options(shared: Toolkit) -> Done:
    """A run without a plan file, steered by variables and flags, into a pipe."""
    config = "{config: %s}" % (shared.demo.ssh.config if shared.demo.ssh else "")
    return shared.call(
        *("profile-and-load", "--server", "ssh://toolkit-demo", "--set", f"servers.0.ssh={config}"),
        *(
            "--target",
            "http://127.0.0.1:1",
            "--target",
            shared.demo.url,
            "--gunicorn",
            f"port={shared.demo.port}",
        ),
        *("--name", "by-options", *phases(6), "--json"),
        TOOLKIT_SCENARIO=HTTP,
        TOOLKIT_VIEW="cpu",
        TOOLKIT_NAME="overruled",
        TOOLKIT_REPORTS=str(shared.reports),
    )


def test_json_alone_stands_on_standard_output(by_options: Done, shared: Toolkit) -> None:
    assert by_options.code == 0, by_options.err
    result = json.loads(by_options.out)
    assert result["exit_code"] == 0
    assert result["error"] is None
    assert result["summary"]["requests"]
    assert result["run"] == str(shared.run.resolve())


def test_variables_stand_for_options_and_a_flag_wins(by_options: Done, shared: Toolkit) -> None:
    assert shared.run.name.endswith("-by-options")
    assert sorted(path.name for path in (shared.run / "flamegraphs").glob("*-cpu.svg"))
    assert list((shared.run / "flamegraphs").glob("*wall*")) == []
    assert (shared.reports / "latest").resolve() == shared.run.resolve()


def test_a_pipe_gets_plain_lines(by_options: Done) -> None:
    assert ESCAPE not in by_options.err
    assert "\r" not in by_options.err
    stages = re.findall(r"^\[ *[\d.]+ s\] (\w.*)$", by_options.err, re.MULTILINE)
    assert stages == [
        *(
            "check",
            "connect",
            "push agent",
            "find gunicorn",
            "watch servers",
            "start recording",
            "drive load",
        ),
        *(
            "stop load",
            "end recordings",
            "stop recording on toolkit-demo",
            "stop watching toolkit-demo",
            "clean toolkit-demo",
        ),
        *("disconnect from toolkit-demo", "report"),
    ]
    assert re.search(
        r"\d+ s elapsed, \d+ s left, \d+ requests, [\d.]+/s, p95 \d+ ms, \d+ failed, \d+ samples",
        by_options.err,
    )


def test_quiet_says_where_the_report_is_and_no_more(toolkit: Toolkit) -> None:
    done = toolkit.call(
        *("load", "--scenario", HTTP, "--target", toolkit.demo.url, *phases(1), "--quiet"),
        *("--reports", str(toolkit.reports)),
    )
    assert done.code == 0
    assert done.err.splitlines() == [f"Report: {toolkit.run / 'report.html'}"]


@dataclass
class Shown:
    code: int
    text: str


def _on_a_terminal(toolkit: Toolkit, *words: str, **environ: str) -> Shown:
    """As typed by a person; both outputs and the input are the terminal."""
    ours, theirs = pty.openpty()
    subprocess.run(["stty", "-F", os.ttyname(theirs), "cols", "120", "rows", "40"], check=True)
    process = subprocess.Popen(
        toolkit.argv(*words),
        cwd=toolkit.folder,
        env={**toolkit.environ, "TERM": "xterm-256color", **environ},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    seen = bytearray()

    def read() -> None:
        with contextlib.suppress(OSError):  # the other end is closed
            while data := os.read(ours, 65536):
                seen.extend(data)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        code = process.wait(60)
    finally:
        process.kill()
        reader.join(5)
        os.close(ours)
    return Shown(code, seen.decode("utf-8"))


def test_a_terminal_shows_the_figures_live(toolkit: Toolkit) -> None:
    words = ["--scenario", HTTP, *phases(3), "--reports", str(toolkit.reports)]
    shown = _on_a_terminal(toolkit, "profile-and-load", PLAN, *words)
    assert shown.code == 0, shown.text
    assert ESCAPE in shown.text
    bare = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.text)
    figures = r"\d+ s elapsed · \d+ s left · [1-9]\d* requests · [\d.]+/s · p95 \d+ ms · \d+ failed · [1-9]\d* samples"
    assert len(set(re.findall(figures, bare))) >= 3, "they change as the run goes on"
    assert re.search(r"✔ drive load +[\d.]+ s", bare)
    assert "Summary report" in bare
    assert "Report: " in bare.splitlines()[-1]
    assert shown.text.count(f"{ESCAPE}?25l") == shown.text.count(f"{ESCAPE}?25h"), "the cursor is back"


def test_no_color_is_kept_to_on_a_terminal(toolkit: Toolkit) -> None:
    shown = _on_a_terminal(toolkit, "doctor", NO_COLOR="1")
    assert shown.code == 0
    assert not re.search(r"\x1b\[[0-9;]*m", shown.text)
    assert re.search(r"\x1b\[[0-9;]*m", _on_a_terminal(toolkit, "doctor").text)


def test_a_reader_that_goes_away_costs_the_run_nothing(toolkit: Toolkit) -> None:
    """`toolkit … 2>&1 | head -1`: the pipe is closed while the run has hardly begun."""
    words = [
        "load",
        "--scenario",
        HTTP,
        "--target",
        toolkit.demo.url,
        *phases(2),
        "--reports",
        str(toolkit.reports),
    ]
    process = subprocess.Popen(
        toolkit.argv(*words),
        cwd=toolkit.folder,
        env=toolkit.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout
    assert b"check" in process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 0
    assert toolkit.manifest()["outcome"] == "passed"
    assert (toolkit.run / "report.html").exists()


def test_a_terminal_that_closes_ends_the_run_in_good_order(toolkit: Toolkit) -> None:
    started = toolkit.start("profile", PLAN, "--reports", str(toolkit.reports))
    started.wait_for("] profile")
    started.send(signal.SIGHUP)
    assert started.finish(15).code == 129
    assert toolkit.manifest()["outcome"] == "interrupted"
    assert (toolkit.run / "report.html").exists()
