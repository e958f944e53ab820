"""What a person meets who types something: help for every command, and wrong input with its exit code and no traceback."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pytest

from toolkit.cli import COMMANDS, cli, main

ROOT = Path(__file__).resolve().parents[3]


def call(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        main(list(argv))
    out, err = capsys.readouterr()
    return int(left.value.code or 0), out, err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_stands_in_the_readme(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = call(capsys, name, "--help")
    assert code == 0
    assert len(out) > 100
    assert f"`toolkit {name}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_option_of_a_run_has_its_variable() -> None:
    for name in ("profile-and-load", "load", "profile", "doctor"):
        command = cli.get_command(None, name)  # type: ignore[arg-type]  # it needs no context
        assert command is not None
        for parameter in command.params:
            if parameter.param_type_name == "option":
                long = next(word for word in parameter.opts if word.startswith("--"))
                assert parameter.envvar == "TOOLKIT_" + long[2:].replace("-", "_").upper()


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        (["profle"], 2, "Did you mean 'profile'?"),
        (["profile", "--durations", "3s"], 2, "--duration"),
        (["profile", "--duration", "soon", "--yes"], 2, "'soon' is no duration"),
        (["profile-and-load"], 2, "No server to profile"),
        (["profile-and-load", "--server", "local:"], 2, "No load to drive"),
        (["load"], 2, "No load to drive"),
        (["load", "nowhere.yml"], 2, "There is no plan nowhere.yml"),
        (["load", "--scenario", "x.yml", "--target", "localhost"], 2, "is no URL of a service"),
        (["load", "--scenario", "x.yml", "--set", "profile.budget"], 2, "write PATH=VALUE"),
        (["load", "--scenario", "x.yml", "--order", "paralel"], 2, "did you mean 'parallel'?"),
        (["profile", "--gunicorn", "prot=8000"], 2, "did you mean 'port'?"),
        (["report", "nowhere"], 2, "does not exist"),
        (["load", "--scenario", "x.yml", "--check", ""], 2, "--check: '': begin with what is measured"),
    ],
)
def test_wrong_input(argv: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    found, out, err = call(capsys, *argv)
    assert (found, out) == (code, "")
    assert message in err
    assert "Traceback" not in err


def test_a_python_without_its_packages_is_said() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-m", "toolkit", "doctor"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert f"this Python ({sys.executable}) has no package click. Call it as .venv/bin/python" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_package_that_is_missing_later_is_no_bug_of_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(name: str) -> NoReturn:
        raise ModuleNotFoundError(f"No module named {lost!r}", name=lost)

    monkeypatch.setattr("toolkit.cli.importlib.import_module", missing)
    lost = "duckdb.sub"
    code, _, err = call(capsys, "doctor")
    assert (code, "has no package duckdb.sub" in err) == (2, True)
    lost = "toolkit.commands.doctor"
    assert call(capsys, "doctor")[0] == 1, "a part of ours that is missing is"


def test_a_folder_that_is_no_run_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, "report", str(tmp_path))
    assert code == 2
    assert "is not a run folder: it has no run.json" in err


def test_a_variable_stands_for_an_option_and_the_flag_wins(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOOLKIT_TARGET", "nonsense")
    assert "'nonsense' is no URL" in call(capsys, "load", "--scenario", "x.yml")[2]
    assert "'worse' is no URL" in call(capsys, "load", "--scenario", "x.yml", "--target", "worse")[2]


def test_paramiko_is_imported_only_when_a_server_is_reached_over_ssh() -> None:
    code = "import sys; from toolkit.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\nprint(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "'paramiko'" not in done.stdout


@pytest.mark.parametrize(
    ("argv", "code", "message", "hint"),
    [
        (
            ["doctor", "nowhere.yml", "--json"],
            2,
            "There is no plan nowhere.yml",
            "demo.yml is one to start from",
        ),
        (
            ["load", "nowhere.yml", "--json"],
            2,
            "There is no plan nowhere.yml",
            "demo.yml is one to start from",
        ),
        (["load", "--durations", "3s", "--json"], 2, "--durations", ""),
        (["profile-and-load", "--json"], 2, "No server to profile", "--server"),
        (
            [
                "load",
                "--json",
                "--scenario",
                str(ROOT / "loadtesting" / "http.yml"),
                "--target",
                "http://127.0.0.1:1",
            ],
            69,
            "127.0.0.1:1",
            "--target",
        ),
    ],
)
def test_a_script_that_asks_for_json_gets_its_failure_as_json(
    argv: list[str], code: int, message: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found, out, err = call(capsys, *argv)
    told = json.loads(out)
    assert (found, told["exit_code"]) == (code, code)
    assert message in told["error"]
    assert hint in told["hint"]
    assert message in err, "people read it too"


def test_the_variable_asks_for_json_as_the_flag_does(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOOLKIT_JSON", "0")
    assert call(capsys, "doctor", "nowhere.yml")[1] == ""
    monkeypatch.setenv("TOOLKIT_JSON", "1")
    assert json.loads(call(capsys, "doctor", "nowhere.yml")[1])["exit_code"] == 2
    assert call(capsys, "report", "nowhere")[1] == "", "a command that knows no --json stays as it is"


def test_a_fault_of_the_toolkit_s_own_is_json_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bolt is loose")

    monkeypatch.setattr("toolkit.commands.doctor.plan_of", broken)
    code, out, _ = call(capsys, "doctor", "--json")
    told = json.loads(out)
    assert (code, told["exit_code"]) == (1, 1)
    assert "a bolt is loose" in told["error"]


def test_a_dry_run_for_scripts_is_the_steps_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["profile", "--server", "local:", "--dry-run"]
    code, out, _ = call(capsys, *words, "--json")
    told = json.loads(out)
    assert (code, told["exit_code"], told["dry_run"]) == (0, 0, True)
    shown = re.findall(r"^ *\d+\. (.*)$", call(capsys, *words)[2], re.MULTILINE)
    assert told["steps"] == shown
    assert len(shown) > 10


def test_a_step_of_a_dry_run_is_one_line_whatever_a_log_is_called(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    plan = tmp_path / "plan.yml"
    plan.write_text('servers: [{address: "local:", logs: ["/var/log/a\\nrm -rf b.log"]}]\n')
    code, _, err = call(capsys, "profile", str(plan), "--dry-run")
    assert code == 0, err
    assert "/var/log/a\\x0arm -rf b.log" in err
    assert "\nrm -rf" not in err
    assert "a quarter kept for those that say little" in err


def test_with_sudo_a_dry_run_names_the_folder_of_root_s_and_where_py_spy_runs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    steps = json.loads(call(capsys, "profile", "--server", "ssh://h", "--sudo", "--dry-run", "--json")[1])[
        "steps"
    ]
    assert any("/tmp/toolkit-agent.XXXXXXXX" in step and "root" in step for step in steps)
    for command in ("record", "dump"):
        assert any(f"<root directory>/py-spy' {command}" in step for step in steps), command
    assert any("removes <directory> and <root directory>" in step for step in steps)
    plain = json.loads(call(capsys, "profile", "--server", "ssh://h", "--dry-run", "--json")[1])["steps"]
    assert not any("root directory" in step or "sudo -n" in step for step in plain)


def test_what_the_demo_prints_can_be_pasted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "my pröj's" / ".demo"
    state = SimpleNamespace(url="http://127.0.0.1:18081", ssh_config=folder / "ssh_config", shop=None)
    monkeypatch.setattr("toolkit.commands.demo.start_demo", lambda *_, **__: state)
    _, _, err = call(capsys, "demo", "start", "--demo-dir", str(folder))
    _, run, stop = err.splitlines()
    assert shlex.split(stop.removeprefix("Stop it: "))[-2:] == ["--demo-dir", str(folder)]
    assert f"TOOLKIT_DEMO_DIR={folder}" in shlex.split(run.removeprefix("Try: "))

    state.shop = SimpleNamespace(url="http://127.0.0.1:18095")
    _, _, err = call(capsys, "demo", "start", "--shop", "--demo-dir", str(folder))
    _, shop, run, _ = err.splitlines()
    assert shop == "The shop answers at http://127.0.0.1:18095."
    words = shlex.split(run.removeprefix("Try: "))
    assert "TOOLKIT_SHOP_URL=http://127.0.0.1:18095" in words
    assert words[-1].endswith("checkout.yml")


def test_a_mistake_in_an_option_or_variable_names_that_and_no_line_of_the_plan(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOOLKIT_BUDGET", "banana")
    with pytest.raises(SystemExit) as left:
        main(["profile-and-load", "plans/demo.yml", "--dry-run", "--view", "foo", "--set", "load.order=bla"])

    said = capsys.readouterr().err
    assert left.value.code == 2
    assert "TOOLKIT_BUDGET: 'banana'" in said
    assert "--view: 'foo'" in said
    assert "--set load.order: 'bla'" in said
    assert "demo.yml:" not in said
