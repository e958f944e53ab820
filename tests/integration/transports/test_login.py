"""Every way to log in, and what is said where none helps."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.integration.transports.conftest import host_block, host_public
from toolkit.demo.ssh_files import make_key
from toolkit.errors import NotPermittedError
from toolkit.transports.base import ConnectOptions
from toolkit.transports.registry import open_transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from toolkit.demo.sshd import SshServer

    Configure = Callable[..., ConnectOptions]

pytestmark = pytest.mark.needs_sshd
SECRET = "correct horse battery staple"


class Person:
    """Answers prompts one after another and remembers them."""

    def __init__(self, *answers: str | None) -> None:
        self._answers = list(answers)
        self.prompts: list[str] = []

    def __call__(self, prompt: str) -> str | None:
        self.prompts.append(prompt)
        return self._answers.pop(0) if self._answers else None


def known(server: SshServer) -> str:
    return f"[127.0.0.1]:{server.port} {host_public(server)}\n"


def gets_in(options: ConnectOptions) -> bool:
    transport = open_transport("ssh://service", options)
    try:
        return transport.run(["echo", "in"]).stdout == b"in\n"
    finally:
        transport.close()


def refusal(options: ConnectOptions) -> NotPermittedError:
    with pytest.raises(NotPermittedError) as caught:
        open_transport("ssh://service", options)
    assert caught.value.exit_code == 77
    assert SECRET not in str(caught.value)
    return caught.value


def make_locked_key(folder: Path, server: SshServer, kind: str = "ed25519", form: str = "RFC4716") -> Path:
    """A key with a passphrase that a server of this test's own lets in."""
    path = folder / f"locked-{kind}"
    argv = ["ssh-keygen", "-q", "-t", kind, "-N", SECRET, "-f", str(path), "-C", "locked"]
    subprocess.run(argv + (["-m", form] if form != "RFC4716" else []), check=True, capture_output=True)
    with (server.folder / "authorized_keys").open("a") as file:
        file.write(path.with_name(path.name + ".pub").read_text())
    return path


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Path]:
    """An ssh-agent of this test's own; its socket."""
    program = shutil.which("ssh-agent")
    if program is None:
        pytest.skip("ssh-agent is not installed")
    path = tmp_path / "agent"
    process = subprocess.Popen([program, "-D", "-a", str(path)], stdout=subprocess.DEVNULL)
    while not path.exists():
        assert process.poll() is None
    yield path
    process.send_signal(signal.SIGTERM)
    process.wait(5)


def add_to(agent: Path, key: Path) -> None:
    environment = os.environ | {"SSH_AUTH_SOCK": str(agent)}
    subprocess.run(["ssh-add", "-q", str(key)], env=environment, check=True, capture_output=True)


def test_a_wrong_key_is_refused_and_named(openssh: SshServer, configure: Configure, tmp_path: Path) -> None:
    make_key(tmp_path / "stranger", "x")
    error = refusal(configure(host_block(openssh, key=tmp_path / "stranger"), known_hosts=known(openssh)))
    assert f"does not let {openssh.user} in" in error.message
    assert str(tmp_path / "stranger") in error.message
    assert "The server takes publickey" in error.message
    assert "Compare with `ssh -v" in error.hint
    assert f"-p {openssh.port} {openssh.user}@{openssh.host_alias}`." in error.hint


def test_a_missing_key_file_is_named(openssh: SshServer, configure: Configure, tmp_path: Path) -> None:
    error = refusal(configure(host_block(openssh, key=tmp_path / "none"), known_hosts=known(openssh)))
    assert f"{tmp_path / 'none'} (is missing)" in error.message


def test_a_given_key_file_that_is_missing_is_said_before_anything_else(
    openssh: SshServer, configure: Configure, tmp_path: Path
) -> None:
    options = configure(host_block(openssh), known_hosts=known(openssh))
    given = ConnectOptions(config_path=options.config_path, identity_files=(tmp_path / "none",))
    assert refusal(given).message == f"The identity file {tmp_path / 'none'} does not exist."


def test_a_given_key_file_goes_before_the_configured(
    openssh: SshServer, configure: Configure, tmp_path: Path
) -> None:
    options = configure(host_block(openssh, key=tmp_path / "none"), known_hosts=known(openssh))
    key = openssh.folder / "id_ed25519"
    assert gets_in(ConnectOptions(config_path=options.config_path, identity_files=(key,)))


def test_no_key_at_all(openssh: SshServer, configure: Configure) -> None:
    block = host_block(openssh).replace("IdentityFile", "#")
    error = refusal(configure(block, known_hosts=known(openssh)))
    assert "nothing was tried" in error.message  # the usual files, all missing, are not listed
    assert "ssh-add" in error.hint


def test_a_file_that_is_no_key(openssh: SshServer, configure: Configure, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("shopping: milk")
    error = refusal(configure(host_block(openssh, key=tmp_path / "notes"), known_hosts=known(openssh)))
    assert "notes (holds no private key that can be read)" in error.message


@pytest.mark.parametrize(("kind", "form"), [("ed25519", "RFC4716"), ("rsa", "PEM"), ("ecdsa", "PKCS8")])
def test_a_locked_key_opens_with_its_passphrase(
    start_sshd: Callable[..., SshServer], configure: Configure, tmp_path: Path, kind: str, form: str
) -> None:
    server = start_sshd()
    key = make_locked_key(tmp_path, server, kind, form)
    person = Person("a wrong one", SECRET)
    assert gets_in(configure(host_block(server, key=key), known_hosts=known(server), password=person))
    assert person.prompts == [
        f"Passphrase for the key {key}: ",
        f"Wrong passphrase. Passphrase for the key {key}: ",
    ]


def test_no_passphrase_is_asked_where_another_key_fits(
    start_sshd: Callable[..., SshServer], configure: Configure, tmp_path: Path
) -> None:
    server = start_sshd()
    key = make_locked_key(tmp_path, server)
    person = Person()
    block = host_block(server, f"IdentityFile {server.folder}/id_ed25519", key=key)
    assert gets_in(configure(block, known_hosts=known(server), password=person))
    assert person.prompts == []


@pytest.mark.parametrize("person", [None, Person(), Person("wrong", "wrong", "wrong", "wrong")])
def test_a_key_that_stays_locked(
    start_sshd: Callable[..., SshServer], configure: Configure, tmp_path: Path, person: Person | None
) -> None:
    server = start_sshd()
    key = make_locked_key(tmp_path, server)
    error = refusal(configure(host_block(server, key=key), known_hosts=known(server), password=person))
    assert f"{key} (locked, " in error.message
    assert error.hint == f"Load the key into the agent: `ssh-add {key}`."
    if person is not None:
        assert len(person.prompts) <= 2  # the same wrong answer twice comes from a program, not from a person


def test_the_agent_opens_what_is_locked(
    start_sshd: Callable[..., SshServer],
    configure: Configure,
    tmp_path: Path,
    agent: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A key that the agent holds is used from there, and its passphrase is not asked for."""
    server = start_sshd()
    shutil.copy(server.folder / "id_ed25519", tmp_path / "key")
    add_to(agent, tmp_path / "key")
    argv = ["ssh-keygen", "-q", "-p", "-N", SECRET, "-f", str(tmp_path / "key")]
    subprocess.run(argv, check=True, capture_output=True)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(agent))
    person = Person()
    options = configure(host_block(server, key=tmp_path / "key"), known_hosts=known(server), password=person)
    assert gets_in(options)
    assert person.prompts == []


def test_only_the_named_keys_of_the_agent_are_offered(
    openssh: SshServer, configure: Configure, tmp_path: Path, agent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Servers end the connection after a few keys; IdentitiesOnly (which `configure` sets) keeps the others back."""
    for number in range(8):
        make_key(tmp_path / f"k{number}", "x")
        add_to(agent, tmp_path / f"k{number}")
    add_to(agent, openssh.folder / "id_ed25519")
    monkeypatch.setenv("SSH_AUTH_SOCK", str(agent))
    public = openssh.folder / "id_ed25519.pub"
    assert gets_in(configure(host_block(openssh, key=public), known_hosts=known(openssh)))
    loose = configure(
        host_block(openssh, "IdentitiesOnly no", key=tmp_path / "k0"), known_hosts=known(openssh)
    )
    error = refusal(loose)
    assert "ended the connection while logging in, after agent key SHA256:" in error.message
    assert "IdentitiesOnly" in error.hint


def test_the_configured_agent_is_asked(
    openssh: SshServer, configure: Configure, agent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_to(agent, openssh.folder / "id_ed25519")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/nowhere")
    block = host_block(openssh, f"IdentityAgent {agent}", "IdentitiesOnly no").replace("IdentityFile", "#")
    assert gets_in(configure(block, known_hosts=known(openssh)))


def test_a_user_certificate(
    start_sshd: Callable[..., SshServer], configure: Configure, tmp_path: Path
) -> None:
    server = start_sshd()
    authority = make_key(tmp_path / "ca", "x")
    (server.folder / "authorized_keys").write_text(f"cert-authority {authority}\n")
    make_key(tmp_path / "user", "x")
    argv = [
        "ssh-keygen",
        "-q",
        "-s",
        str(tmp_path / "ca"),
        "-I",
        "id",
        "-n",
        server.user,
        str(tmp_path / "user.pub"),
    ]
    subprocess.run(argv, check=True, capture_output=True)
    assert gets_in(configure(host_block(server, key=tmp_path / "user"), known_hosts=known(server)))


def test_an_account_password(
    start_sshd: Callable[..., SshServer], configure: Configure, tmp_path: Path
) -> None:
    server = start_sshd(kind="asyncssh", password=SECRET)
    make_key(tmp_path / "stranger", "x")
    person = Person("a wrong one", SECRET)
    options = configure(
        host_block(server, key=tmp_path / "stranger"), known_hosts=known(server), password=person
    )
    assert gets_in(options)
    where = f"Password of {server.user} on 127.0.0.1: "
    assert person.prompts == [where, f"Wrong password. {where}"]


def test_a_password_is_not_asked_where_a_key_fits(
    start_sshd: Callable[..., SshServer], configure: Configure
) -> None:
    server = start_sshd(kind="asyncssh", password=SECRET)
    person = Person()
    assert gets_in(configure(host_block(server), known_hosts=known(server), password=person))
    assert person.prompts == []


def test_a_password_is_not_asked_where_the_server_takes_none(
    openssh: SshServer, configure: Configure, tmp_path: Path
) -> None:
    make_key(tmp_path / "stranger", "x")
    person = Person(SECRET)
    refusal(
        configure(host_block(openssh, key=tmp_path / "stranger"), known_hosts=known(openssh), password=person)
    )
    assert person.prompts == []


def test_a_wrong_password_is_told_without_it(
    start_sshd: Callable[..., SshServer],
    configure: Configure,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    server = start_sshd(kind="asyncssh", password="another")
    block = host_block(server, key=tmp_path / "none")
    error = refusal(
        configure(block, known_hosts=known(server), password=Person(SECRET, SECRET + "2", SECRET + "3"))
    )
    assert ", password. The server takes" in error.message
    assert capfd.readouterr() == ("", "")


def test_the_servers_own_questions(
    start_sshd: Callable[..., SshServer], configure: Configure, tmp_path: Path
) -> None:
    """Many servers ask for the password by keyboard-interactive, by PAM say."""
    server = start_sshd(kind="asyncssh", password=SECRET, questions=True)
    person = Person(SECRET)
    options = configure(host_block(server, key=tmp_path / "none"), known_hosts=known(server), password=person)
    assert gets_in(options)
    assert len(person.prompts) == 1
    assert "Password" in person.prompts[0]


def test_a_person_who_gives_up_is_heard(
    start_sshd: Callable[..., SshServer], configure: Configure, tmp_path: Path
) -> None:
    """A Ctrl-C at the prompt is asked in another thread, and must not be lost there."""

    def give_up(_prompt: str) -> str:
        raise KeyboardInterrupt

    for questions in (False, True):
        server = start_sshd(kind="asyncssh", password=SECRET, questions=questions)
        options = configure(
            host_block(server, key=tmp_path / "none"), known_hosts=known(server), password=give_up
        )
        with pytest.raises(KeyboardInterrupt):
            open_transport("ssh://service", options)
