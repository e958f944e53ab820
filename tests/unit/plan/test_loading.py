"""What a person sees who writes a plan: it means what it says, and a wrong one names all its mistakes with their places."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.errors import UsageError
from toolkit.plan.loading import load_plan, plan_from_options, plan_text

GOOD = """\
target: ${SERVICE:-http://127.0.0.1:8000}
servers:
  - address: ssh://deploy@web1.example
    gunicorn: {port: 8000}
    sudo_password: env:SUDO_PASSWORD
load:
  scenarios:
    - http.yml
    - {file: sub/socket.yml, ack_timeout: 500ms}
"""

WRONG = """\
version: 1
targt: http://127.0.0.1:8000
servers:
  - address: web1
    gunicorn: {port: 8000, pid: 3}
    ssh:
      pasword: "prompt:"
      password: hunter2
profile:
  views: [wal]
  chunk: soon
load:
  order: paralel
  scenarios: []
"""


def write(folder: Path, text: str) -> Path:
    (folder / "sub").mkdir(exist_ok=True)
    for name in ("http.yml", "sub/socket.yml"):
        (folder / name).touch()
    path = folder / "nightly.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_plan_means_what_it_says(tmp_path: Path) -> None:
    plan = load_plan(write(tmp_path, GOOD), {}, {})
    assert plan.name == "nightly"
    assert plan.target == "http://127.0.0.1:8000"
    assert plan.servers[0].name == "web1.example"
    assert plan.servers[0].gunicorn.choice() == {"port": 8000}
    assert plan.load is not None
    assert [scenario.name for scenario in plan.load.scenarios] == ["http", "socket"]
    assert plan.load.scenarios[1].file == tmp_path / "sub" / "socket.yml", "files stand relative to the plan"
    assert plan.load.scenarios[1].ack_timeout == pytest.approx(0.5)
    assert (plan.profile.views, plan.profile.budget, plan.profile.chunk) == (["wall", "cpu"], 5.0, 5.0)


def test_the_environment_fills_in_and_options_lie_over_it(tmp_path: Path) -> None:
    environ = {"SERVICE": "http://10.0.0.1"}
    assert load_plan(write(tmp_path, GOOD), {}, environ).target == "http://10.0.0.1"
    changes = {"target": "http://127.0.0.1:9", "profile.budget": "2%", "load.scenarios.1.ack_timeout": "2s"}
    plan = load_plan(write(tmp_path, GOOD), changes, environ)
    assert plan.target == "http://127.0.0.1:9"
    assert plan.profile.budget == pytest.approx(2.0)
    assert plan.load is not None
    assert plan.load.scenarios[1].ack_timeout == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (2, "targt: unknown key; did you mean 'target'?"),
        (4, "servers.0.address: 'web1' is no server address; write ssh://user@host, ssh://alias or local:"),
        (5, "servers.0.gunicorn: name one of pid, port, not several"),
        (7, "servers.0.ssh.pasword: unknown key; did you mean 'password'?"),
        (8, "servers.0.ssh.password: a secret is not written in a plan; say env:NAME, file:PATH or prompt:"),
        (10, "profile.views.0: 'wal' is not one of wall, cpu or gil; did you mean 'wall'?"),
        (11, "profile.chunk: 'soon' is no duration; write 500ms, 5s, 1m30s or 2h"),
        (13, "load.order: 'paralel' is not one of parallel or sequential; did you mean 'parallel'?"),
        (14, "load.scenarios: is empty; name at least one"),
    ],
)
def test_all_mistakes_come_at_once_each_with_its_place(tmp_path: Path, place: int, text: str) -> None:
    path = write(tmp_path, WRONG)
    with pytest.raises(UsageError) as caught:
        load_plan(path, {}, {})
    assert f"{path}:{place}: {text}" in caught.value.message
    assert "9 mistakes" in caught.value.message
    assert "hunter2" not in str(caught.value)


def test_a_variable_without_a_value_is_a_mistake_with_a_place(tmp_path: Path) -> None:
    path = write(tmp_path, "name: x\ntarget: ${NOWHERE}\n")
    with pytest.raises(
        UsageError, match=r"nightly\.yml:2: target: the environment variable NOWHERE is not set"
    ):
        load_plan(path, {}, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1\n", "this is no YAML"),
        ("- 1\n", "1 mistake"),
        ("", "1 mistake"),
        ("name: x\nname: y\n", "this is no YAML"),
    ],
)
def test_what_is_no_plan_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_plan(write(tmp_path, text), {}, {})


def test_no_such_plan(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no plan"):
        load_plan(tmp_path / "gone.yml", {}, {})


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        plan_from_options({"servers": [{"address": "ssh://me:hunter2@host"}]}, "x")
    assert "a password does not belong in an address" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_two_servers_of_one_name_are_refused() -> None:
    addresses = [{"address": "ssh://a@host"}, {"address": "ssh://b@host"}]
    with pytest.raises(UsageError, match="two servers are called host"):
        plan_from_options({"servers": addresses}, "x")


def test_a_setting_that_leads_nowhere_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--set load\.scenarios\.7\.name: the plan has nothing at '7'"):
        load_plan(write(tmp_path, GOOD), {"load.scenarios.7.name": "x"}, {})


def test_the_written_plan_holds_no_secret(tmp_path: Path) -> None:
    text = GOOD.replace("http://127.0.0.1:8000", "http://me:hunter2@127.0.0.1")
    text = text.replace("ack_timeout: 500ms", "variables: {api_token: hunter2, city: Delft}")
    written = plan_text(load_plan(write(tmp_path, text), {}, {}))
    assert "hunter2" not in written
    assert "http://***@127.0.0.1" in written
    assert "city: Delft" in written
    assert "env:SUDO_PASSWORD" in written, "where a secret comes from is no secret"


def test_a_masked_plan_is_not_run_as_it_stands(tmp_path: Path) -> None:
    text = GOOD.replace("http://127.0.0.1:8000", "http://***@127.0.0.1").replace(
        "ack_timeout: 500ms", "variables: {key: '***'}"
    )
    with pytest.raises(UsageError, match="2 mistakes") as caught:
        load_plan(write(tmp_path, text), {}, {})
    assert "target: was masked when the plan was written" in str(caught.value)


def test_a_missing_scenario_file_stands_among_the_other_mistakes_in_order_of_lines(tmp_path: Path) -> None:
    text = "sevrers: []\nload:\n  scenarios: [gone.yml]\nprofile: {budget: much}\n"
    with pytest.raises(UsageError) as caught:
        load_plan(write(tmp_path, text), {}, {})
    lines = str(caught.value).splitlines()[1:]
    assert [line.split("nightly.yml:")[1].split(":")[0] for line in lines] == ["1", "3", "4"]
    assert "there is no file" in lines[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("servers: [{address: local, sudo: maybe}]", "'maybe' is neither true nor false"),
        ("name: a b", "'a b' is no name: letters, digits"),
        ("load: 3", "3 is no mapping; write key: value lines"),
        ("servers: web", "'web' is no list; write - lines"),
    ],
)
def test_mistakes_are_said_in_plain_words(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_plan(write(tmp_path, text), {}, {})
    assert words in str(caught.value)


def test_a_secret_in_a_query_is_masked() -> None:
    plan = plan_from_options({"target": "http://me:pw@host/?city=Delft&access_token=hunter2&sig=x"}, "x")
    written = plan_text(plan)
    assert "hunter2" not in written
    assert "http://***@host/?city=Delft&access_token=***&sig=***" in written


@pytest.mark.parametrize(
    "text",
    ["", "target: http://127.0.0.1:8000\n", "servers: [{address: 'local:'}]\n", GOOD],
    ids=["empty", "target", "server", "whole"],
)
def test_the_written_plan_can_be_run_again(tmp_path: Path, text: str) -> None:
    plan = load_plan(write(tmp_path, f"name: nightly\n{text}"), {}, {})
    again = tmp_path / "run" / "plan.yml"
    again.parent.mkdir()
    again.write_text(plan_text(plan), encoding="utf-8")
    assert load_plan(again, {}, {}) == plan


def test_no_such_plan_names_one_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        load_plan(tmp_path / "gone.yml", {}, {})
    assert Path(caught.value.hint.split(" is one")[0]).is_file()


TANGLED = """\
servers:
  - {address: ssh://a@host, gunicorn: {port: no, pid: 3}}
  - {address: ssh://b@host, logs: [app.log, 7]}
profile:
  views: [wall, wall, wal]
  chunk: soon
load:
  ack_timeout: 5s
  order: paralel
  scenarios:
    - one/http.yml
    - {file: two/http.yml, engine: artilery}
"""


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (2, "servers.0.gunicorn: name one of pid, port, not several"),
        (2, "servers.0.gunicorn.port: 'no' is no whole number"),
        (3, "servers.1: two servers are called host; give each a name: of its own"),
        (3, "servers.1.logs.0: 'app.log' is relative; write the whole path on the server"),
        (5, "profile.views.1: the view wall stands twice in views"),
        (5, "profile.views.2: 'wal' is not one of wall, cpu or gil; did you mean 'wall'?"),
        (6, "profile.chunk: 'soon' is no duration"),
        (8, "load.ack_timeout: unknown key; it stands in load.scenarios[].ack_timeout"),
        (9, "load.order: 'paralel' is not one of"),
        (11, "load.scenarios.0.file: there is no file"),
        (12, "load.scenarios.1: two scenarios are called http; give each a name: of its own"),
        (12, "load.scenarios.1.engine: 'artilery' is no engine"),
    ],
)
def test_a_mistake_in_a_field_hides_none_of_the_rules(tmp_path: Path, place: int, text: str) -> None:
    path = write(tmp_path, TANGLED)
    with pytest.raises(UsageError) as caught:
        load_plan(path, {}, {})
    assert f"{path}:{place}: {text}" in caught.value.message


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("my load.yml", "config: {target: http://127.0.0.1}\nscenarios: [{flow: []}]\n"),
        ("my load.json", '{"scenarios": []}'),
        ("my load.ts", "export const config = {\n  target: 'x',\n}: y;\n"),
    ],
)
def test_a_scenario_file_given_as_the_plan_is_told_apart(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load_plan(path, {}, {})
    assert f"--scenario '{path}'" in caught.value.hint
    assert "unknown key" not in caught.value.message


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("watch: {interval: 0.1}", "watch.interval: 0.1 is too little: the least is 200ms"),
        ("watch: {interval: 2m}", "watch.interval: 120.0 is too much: the most is 1m"),
        ("watch: {log_limit: 5 kB}", "watch.log_limit: 5000 is too little: the least is 100 kB"),
        ("watch: {log_limit: 3 GB}", "watch.log_limit: 3000000000 is too much: the most is 2 GB"),
        ("profile: {budget: 0}", "profile.budget: 0.0 is too little: it must be more than 0%"),
        ("profile: {rate: 2000}", "profile.rate: 2000 is too much: the most is 1000"),
    ],
)
def test_a_bound_is_told_in_its_unit(tmp_path: Path, line: str, said: str) -> None:
    path = write(tmp_path, f'servers: [{{address: "local:"}}]\n{line}\n')
    with pytest.raises(UsageError) as raised:
        load_plan(path, {}, {})
    assert said in str(raised.value)


@pytest.mark.parametrize("unit", ["bad unit; rm -rf", "", "-x", "a/b.service", "x" * 256])
def test_a_unit_that_is_none_is_a_mistake_in_the_plan(tmp_path: Path, unit: str) -> None:
    """The agent would refuse it, and all watching with it."""
    path = write(
        tmp_path, f'servers:\n  - address: "local:"\n    logs: {{units: [web@1.service, "{unit}"]}}\n'
    )
    with pytest.raises(UsageError, match=r"units\.1: .* is no name of a systemd unit"):
        load_plan(path, {}, {})
