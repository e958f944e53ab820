"""The order in which ways to log in are tried, against a server made of a table."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from toolkit.errors import NotPermittedError
from toolkit.transports.address import Address
from toolkit.transports.authentication import Authenticator, DroppedError
from toolkit.transports.base import ConnectOptions
from toolkit.transports.client_config import make_host, parse_dump

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


class Server:
    """Takes what `accepts` names; after `then`, a first success is followed by these methods."""

    def __init__(
        self, *accepts: str, methods: str = "publickey,password", then: str = "", drop_after: int = 99
    ) -> None:
        self.methods = frozenset(methods.split(","))
        self.accepts = set(accepts)
        self.offers: list[str] = []
        self.agent: list[tuple[bytes, str]] = []
        self._then = then
        self._drop_after = drop_after

    def _judge(self, offer: str) -> bool:
        self.offers.append(offer)
        if len(self.offers) > self._drop_after:
            raise DroppedError
        if offer not in self.accepts:
            return False
        if self._then:
            self.methods, self._then = frozenset(self._then.split(",")), ""
            return False
        return True

    def begin(self) -> bool:
        return "none" in self.accepts

    def agent_keys(self) -> list[tuple[bytes, str]]:
        return self.agent

    def offer_agent_key(self, public: bytes) -> bool:
        return self._judge("agent:" + public[-4:].hex())

    def offer_key(self, pem: bytes, certificate: Path | None) -> bool:
        key = serialization.load_ssh_private_key(pem, None).public_key()
        line = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        kind = "certificate:" if certificate else "key:"
        return self._judge(kind + base64.b64decode(line.split()[1])[-4:].hex())

    def offer_password(self, password: str) -> bool:
        return self._judge("password:" + password)

    def answer(self, respond: Callable[[Sequence[str]], list[str]]) -> bool:
        return self._judge("answers:" + ",".join(respond(["Code\x1b[2J: ", "PIN: "])))


def make_key(path: Path, passphrase: str = "") -> str:
    """Write a key; returns the last four bytes of its public half."""
    key = Ed25519PrivateKey.generate()
    encryption = (
        serialization.BestAvailableEncryption(passphrase.encode())
        if passphrase
        else serialization.NoEncryption()
    )
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, encryption)
    )
    public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return public[-4:].hex()


def log_in(
    server: Server, *keys: Path, password: Callable[[str], str | None] | None = None, only: str = "no"
) -> None:
    text = (
        "user bob\nhostname h\nport 22\n"
        + f"identitiesonly {only}\n"
        + "".join(f"identityfile {key}\n" for key in keys)
    )
    config = make_host(
        Address("ssh", "", "h", 0), parse_dump(text or "identityfile none"), ConnectOptions(), jumped=False
    )
    Authenticator(server, config, ConnectOptions(password=password)).run()


def test_agent_then_open_files_then_locked_files_then_password(tmp_path: Path) -> None:
    locked, plain = make_key(tmp_path / "locked", "secret"), make_key(tmp_path / "plain")
    server = Server("password:pw")
    server.agent = [(b"\0\0\0\1abcd", "me")]
    answers = iter(["secret", "pw"])
    log_in(server, tmp_path / "locked", tmp_path / "plain", password=lambda _prompt: next(answers))
    assert server.offers == ["agent:61626364", f"key:{plain}", f"key:{locked}", "password:pw"]


def test_an_account_without_a_lock_needs_nothing(tmp_path: Path) -> None:
    server = Server("none")
    log_in(server, tmp_path / "missing")
    assert server.offers == []


def test_no_key_is_offered_to_a_server_that_takes_none(tmp_path: Path) -> None:
    make_key(tmp_path / "k", "secret")
    server = Server("password:pw", methods="password")
    prompts: list[str] = []

    def person(prompt: str) -> str:
        prompts.append(prompt)
        return "pw"

    log_in(server, tmp_path / "k", password=person)
    assert server.offers == ["password:pw"]
    assert prompts == ["Password of bob on h: "]


def test_a_key_and_then_a_password(tmp_path: Path) -> None:
    """Two factors: the key is right, and the server asks for more."""
    key = make_key(tmp_path / "k")
    server = Server(f"key:{key}", "password:pw", methods="publickey", then="password")
    log_in(server, tmp_path / "k", password=lambda _prompt: "pw")
    assert server.offers == [f"key:{key}", "password:pw"]


def test_a_password_and_then_a_key(tmp_path: Path) -> None:
    key = make_key(tmp_path / "k")
    server = Server("password:pw", f"key:{key}", methods="password", then="publickey")
    log_in(server, tmp_path / "k", password=lambda _prompt: "pw")
    assert server.offers == ["password:pw", f"key:{key}"]


def test_a_certificate_goes_before_its_key(tmp_path: Path) -> None:
    key = make_key(tmp_path / "k")
    (tmp_path / "k-cert.pub").write_text("x")
    server = Server(f"key:{key}")
    log_in(server, tmp_path / "k")
    assert server.offers == [f"certificate:{key}", f"key:{key}"]


def test_the_same_key_is_not_offered_twice(tmp_path: Path) -> None:
    make_key(tmp_path / "k")
    (tmp_path / "copy").write_bytes((tmp_path / "k").read_bytes())
    server = Server()
    with pytest.raises(NotPermittedError):
        log_in(server, tmp_path / "k", tmp_path / "copy", tmp_path / "k")
    assert len(server.offers) == 1


def test_three_wrong_passwords_are_enough_and_none_is_told(tmp_path: Path) -> None:
    answers = iter(["hunter1", "hunter2", "hunter3", "hunter4"])
    server = Server()
    with pytest.raises(NotPermittedError) as caught:
        log_in(server, tmp_path / "missing", password=lambda _prompt: next(answers))
    assert len(server.offers) == 3
    assert "hunter" not in str(caught.value)
    assert "password. The server takes password, publickey." in caught.value.message


def test_a_servers_prompt_cannot_drive_the_terminal(tmp_path: Path) -> None:
    prompts: list[str] = []

    def person(prompt: str) -> str:
        prompts.append(prompt)
        return "x"

    log_in(Server("answers:x,x", methods="keyboard-interactive"), tmp_path / "none", password=person)
    assert prompts == ["bob on h asks: Code[2J: ", "bob on h asks: PIN: "]


def test_a_server_that_hangs_up(tmp_path: Path) -> None:
    for number in range(3):
        make_key(tmp_path / str(number))
    with pytest.raises(
        NotPermittedError, match=rf"ended the connection .*after {tmp_path}/0, {tmp_path}/1, {tmp_path}/2"
    ):
        log_in(Server(drop_after=2), *(tmp_path / str(number) for number in range(3)))


def test_nobody_to_ask(tmp_path: Path) -> None:
    with pytest.raises(NotPermittedError, match="nothing was tried"):
        log_in(Server(methods="keyboard-interactive"))


@pytest.mark.parametrize(
    ("methods", "asker", "told"),
    [
        ("password", None, True),
        ("publickey,keyboard-interactive", None, True),
        ("publickey", None, False),
        ("password", lambda _: None, False),  # somebody was asked
    ],
)
def test_without_a_terminal_it_is_said_how_a_password_gets_there(
    methods: str, asker: Callable[[str], str | None] | None, told: bool
) -> None:
    with pytest.raises(NotPermittedError) as caught:
        log_in(Server(methods=methods), password=asker)
    assert ("in a terminal" in caught.value.hint and "ssh: {password: env:NAME}" in caught.value.hint) == told
