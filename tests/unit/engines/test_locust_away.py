"""Workers on other hosts: what a plan may say, what they are lent, how they are started, what is told of their hosts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.known_locust import know_locust
from toolkit.engines.base import LoadJob
from toolkit.engines.locust_lending import lent_files, not_lendable
from toolkit.engines.locust_options import AwayWorkers, LocustOptions
from toolkit.engines.registry import engine
from toolkit.errors import UnreachableError, UsageError
from toolkit.plan.loading import load_plan
from toolkit.recording.layout import LoadFolder
from toolkit.run import lending
from toolkit.run.lending import lenders_of, look
from toolkit.run.secret_scan import environment_without_secrets
from toolkit.transports.base import Completed

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.plan.model import Plan
    from toolkit.transports.base import Away

PLAN = """\
target: http://service.example:8000
load:
  scenarios:
    - file: own/locustfile.py
      locust:
        files: [own/data]
        workers:
          - "local:"
          - address: ssh://maker
            processes: 3
            python: /opt/l/bin/python
            ssh: {config: ssh_config, password: env:MAKER_PASSWORD}
"""


@pytest.fixture(autouse=True)
def _locust(monkeypatch: pytest.MonkeyPatch) -> None:
    know_locust(monkeypatch, lending)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A locustfile with what lies beside it."""
    folder = tmp_path / "own"
    for name, text in {
        "locustfile.py": "import os, beside\nfrom pages.shop import basket\nfrom locust import User\n",
        "beside.py": "import deeper\n",
        "deeper.py": "",
        "unused.py": "",
        "pages/__init__.py": "",
        "pages/shop.py": "",
        "pages/__pycache__/shop.pyc": "",
        "data/users.csv": "",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def planned(tmp_path: Path, text: str = PLAN) -> Plan:
    path = tmp_path / "plan.yml"
    path.write_text(text)
    return load_plan(path, {})


@pytest.mark.usefixtures("own")
def test_a_list_of_machines_in_the_plan(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    ((scenario, lender),) = lenders_of(plan)
    assert (lender.address, lender.ssh.config) == ("ssh://maker", tmp_path / "ssh_config")
    assert scenario.locust
    options = scenario.locust.options()
    assert (options.workers, options.away, options.all_workers) == (
        *(1, (AwayWorkers("ssh://maker", 3, "/opt/l/bin/python"),)),
        4,
    )
    assert options.files == (tmp_path / "own" / "data",)


@pytest.mark.usefixtures("own")
def test_a_password_of_a_lender_is_not_handed_to_the_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAKER_PASSWORD", "open sesame")
    assert "MAKER_PASSWORD" not in environment_without_secrets(planned(tmp_path))


@pytest.mark.usefixtures("own")
def test_mistakes_are_told_with_their_places(tmp_path: Path) -> None:
    wrong = PLAN.replace("ssh://maker", "maker").replace("processes: 3", "proceses: 3")
    with pytest.raises(UsageError) as raised:
        planned(tmp_path, wrong)
    assert "plan.yml:9" in raised.value.message
    assert "'maker' is no server address" in raised.value.message
    assert "processes" in raised.value.message, "did you mean"
    with pytest.raises(UsageError, match="local: stands twice in workers"):
        planned(tmp_path, PLAN.replace('- "local:"', '- "local:"\n          - "local:"'))


def test_what_is_imported_from_beside_the_file_is_lent(own: Path) -> None:
    names = [name for name, _ in lent_files(own / "locustfile.py", [own / "data"])]
    assert sorted(name for name in names if name.startswith("files/")) == [
        *("files/beside.py", "files/data/users.csv", "files/deeper.py", "files/locustfile.py"),
        *("files/pages/__init__.py", "files/pages/shop.py"),
    ]
    assert {"lib/lent_worker.py", "lib/locust_start.py", "lib/locust_recorder/part.py"} < set(names)


def test_what_lies_elsewhere_cannot_be_lent(own: Path, tmp_path: Path) -> None:
    (tmp_path / "far.csv").touch()
    mistakes = not_lendable(own / "locustfile.py", [tmp_path / "far.csv", own / "none.csv"])
    assert [mistake.partition(": ")[2].split(" ", 2)[:2] for mistake in mistakes] == [
        [str(tmp_path / "far.csv"), "cannot"],
        ["there", "is"],
    ]


def test_numbers_go_on_from_the_workers_here(own: Path, tmp_path: Path) -> None:
    options = LocustOptions(workers=1, away=(AwayWorkers("ssh://maker", 2, "/opt/l/bin/python"),))
    job = LoadJob("l", own / "locustfile.py", "http://y", locust=options)
    launch = engine("locust").launch(job, LoadFolder(tmp_path / "gone"))
    assert launch.argv[launch.argv.index("--expect-workers") + 1] == "3"
    assert [helper.name for helper in launch.helpers] == [
        *("worker 1 of 3", "worker 2 of 3 on ssh://maker"),
        "worker 3 of 3 on ssh://maker",
    ]
    here, _, last = launch.helpers
    assert here.lent is None
    assert last.lent
    assert last.argv[:4] == ("/opt/l/bin/python", "../lib/locust_start.py", "-f", "locustfile.py")
    assert (last.lent.process, last.lent.port) == (
        "worker-3",
        int(launch.argv[launch.argv.index("--master-bind-port") + 1]),
    )
    recorder = json.loads(last.env["TOOLKIT_RECORDER"])
    assert (recorder["worker"], recorder["process"], recorder["parts"]) == (3, "worker-3", "../parts")
    assert not any(str(tmp_path) in word for word in (*last.argv, *last.env.values())), (
        "no path of this machine"
    )


class Host:
    """Answers what `look` asks."""

    address = "ssh://me@maker:22"

    def __init__(self, stdout: str, stderr: str = "", exit_code: int = 0) -> None:
        self._done = Completed((), exit_code, stdout.encode(), stderr.encode())

    def run(self, *_: Any, **__: Any) -> Completed:
        return self._done


def answer(**found: str) -> str:
    return (
        "welcome\ntoolkit-look "
        + json.dumps({"python": "/p", "locust": "2.47.0", "target": "", **found})
        + "\n"
    )


@pytest.mark.parametrize(
    ("host", "kind", "words"),
    [
        (
            Host(answer(locust="")),
            UsageError,
            "/p on ssh://me@maker:22 has no Locust; the master here is 2.47.0",
        ),
        (Host(answer(locust="2.1.0")), UsageError, "has Locust 2.1.0; the master here is 2.47.0"),
        (
            Host("", "sh: 1: exec: py: not found\n", 127),
            UsageError,
            "does not run: sh: 1: exec: py: not found.",
        ),
        (
            Host(answer(target="Connection refused")),
            UnreachableError,
            "cannot reach the target service.example:8000: Connection refused",
        ),
    ],
)
@pytest.mark.usefixtures("own")
def test_a_host_that_cannot_lend_is_told(
    tmp_path: Path, host: Host, kind: type[Exception], words: str
) -> None:
    plan = planned(tmp_path)
    ((scenario, lender),) = lenders_of(plan)
    with pytest.raises(kind, match=words):
        look(plan, scenario, lender, cast("Away", host))


@pytest.mark.usefixtures("own")
def test_a_host_that_can_lend(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    ((scenario, lender),) = lenders_of(plan)
    said = look(plan, scenario, lender, cast("Away", Host(answer())))
    assert said == "Locust 2.47.0 (/p), reaches service.example:8000"
