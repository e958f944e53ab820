"""In which order ways to log in are tried: agent, key files, locked key files, password; and what failed, for people."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Protocol

from toolkit.errors import NotPermittedError
from toolkit.transports.client_config import is_default_key
from toolkit.transports.key_file import (
    KeyFile,
    UnusableKeyError,
    WrongPassphraseError,
    inspect_key,
    unlock_key,
)
from toolkit.transports.known_hosts import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from toolkit.transports.base import ConnectOptions
    from toolkit.transports.client_config import HostConfig

_ATTEMPTS = 3
_ROUNDS = 3  # a server may ask for several methods one after another
_ASKED_FOR = {"password", "keyboard-interactive"}
_NO_TERMINAL = (
    "A password is asked for in a terminal, and there is none here: without one give the plan "
    "`ssh: {password: env:NAME}`."
)


class DroppedError(Exception):
    """The server ended the connection while we logged in."""


class Login(Protocol):
    """One login at one server. Every offer returns whether we are in; `methods` follows what the server still takes."""

    methods: frozenset[str]

    def begin(self) -> bool:
        """Ask which methods the server takes."""

    def agent_keys(self) -> list[tuple[bytes, str]]:
        """Public key in wire form, and comment, of each key in the agent."""

    def offer_agent_key(self, public: bytes) -> bool:
        """Log in by a key of the agent."""

    def offer_key(self, pem: bytes, certificate: Path | None) -> bool:
        """Log in by a private key, presenting a certificate where one is given."""

    def offer_password(self, password: str) -> bool:
        """Log in by the account's password."""

    def answer(self, respond: Callable[[Sequence[str]], list[str]]) -> bool:
        """Log in by answering the server's prompts (keyboard-interactive)."""


class Authenticator:
    """Tries everything there is, in order, and asks a person last."""

    def __init__(self, login: Login, config: HostConfig, options: ConnectOptions) -> None:
        self._login = login
        self._config = config
        self._options = options
        self._tried: list[str] = []
        self._offered: set[bytes] = set()
        self._still_locked: list[Path] = []

    def run(self) -> None:
        """Return once we are in.

        Raises:
            NotPermittedError: nothing helped; says what was tried.
        """
        missing = [path for path in self._options.identity_files if not path.exists()]
        if missing:
            raise NotPermittedError(
                f"The identity file {missing[0]} does not exist.", "Give the path of a private key."
            )
        try:
            if self._login.begin() or self._rounds():
                return
        except DroppedError:
            raise NotPermittedError(
                f"{self._config.shown} ended the connection while logging in, after {self._shown_tries()}.",
                "It may allow few tries: name the one right key with IdentityFile and IdentitiesOnly yes.",
            ) from None
        raise self._refused()

    def _rounds(self) -> bool:
        keys = [inspect_key(path) for path in dict.fromkeys(self._config.identity_files)]
        for _ in range(_ROUNDS):
            before = self._login.methods
            if self._try_agent(keys) or self._try_files(keys) or self._try_locked(keys) or self._try_person():
                return True
            if self._login.methods == before:
                break
        return False

    def _publickey(self) -> bool:
        return "publickey" in self._login.methods

    def _try_agent(self, keys: list[KeyFile]) -> bool:
        named = {key.public for key in keys if key.public}
        held = self._login.agent_keys() if self._publickey() else []
        # The keys that the configuration names go first: servers count failed tries.
        for public, comment in sorted(held, key=lambda one: one[0] not in named):
            if public in self._offered or (self._config.identities_only and public not in named):
                continue
            if not self._publickey():
                break
            self._offered.add(public)
            self._tried.append(f"agent key {fingerprint(public)} ({comment})")
            if self._login.offer_agent_key(public):
                return True
        return False

    def _try_files(self, keys: list[KeyFile]) -> bool:
        for key in keys:
            if key.problem:
                note = f"{key.path} ({key.problem})"
                if note not in self._tried and not (is_default_key(key.path) and key.problem == "is missing"):
                    self._tried.append(note)
            elif self._publickey() and not key.locked and key.public not in self._offered:
                self._offered.add(key.public)
                self._tried.append(str(key.path))
                if self._offer_file(key, None):
                    return True
        return False

    def _try_locked(self, keys: list[KeyFile]) -> bool:
        """Ask for passphrases only now that no other key let us in."""
        for key in keys:
            if (
                not key.locked
                or key.problem
                or not self._publickey()
                or (key.public and key.public in self._offered)
            ):
                continue
            if key.public:
                self._offered.add(key.public)
            if self._unlock_and_offer(key):
                return True
        return False

    def _unlock_and_offer(self, key: KeyFile) -> bool:
        last, note = "", ""
        for _ in range(_ATTEMPTS):
            passphrase = self._ask(f"{note}Passphrase for the key {key.path}: ")
            if passphrase is None or (note and passphrase == last):
                break
            last, note = passphrase, "Wrong passphrase. "
            try:
                if self._offer_file(key, passphrase):
                    return True
            except WrongPassphraseError:
                continue
            self._tried.append(str(key.path))
            return False
        self._still_locked.append(key.path)
        self._tried.append(f"{key.path} (locked, {'wrong' if note else 'no'} passphrase)")
        return False

    def _offer_file(self, key: KeyFile, passphrase: str | None) -> bool:
        try:
            pem = unlock_key(key.path, passphrase)
        except UnusableKeyError as error:
            self._tried[-1:] = [f"{key.path} ({error})"]
            return False
        certificate = key.path.with_name(key.path.name + "-cert.pub")
        if certificate.exists():
            self._tried.append(str(certificate))
            if self._login.offer_key(pem, certificate):
                return True
        return self._publickey() and self._login.offer_key(pem, None)

    def _try_person(self) -> bool:
        """The account's password, or the server's own questions."""
        last, note = "", ""
        for _ in range(_ATTEMPTS):
            plain = "password" in self._login.methods
            if not plain and "keyboard-interactive" not in self._login.methods:
                return False
            if not plain:
                return self._answer_questions()
            password = self._ask(f"{note}Password of {self._config.user} on {self._config.hostname}: ")
            if password is None or (note and password == last):
                return False
            last, note = password, "Wrong password. "
            if "password" not in self._tried:
                self._tried.append("password")
            if self._login.offer_password(password):
                return True
        return False

    def _answer_questions(self) -> bool:
        if self._options.password is None:
            return False
        where = f"{self._config.user} on {self._config.hostname}"

        def respond(prompts: Sequence[str]) -> list[str]:
            return [self._ask(f"{where} asks: {_printable(prompt)}") or "" for prompt in prompts]

        self._tried.append("the server's questions")
        return self._login.answer(respond)

    def _ask(self, prompt: str) -> str | None:
        return self._options.password(prompt) if self._options.password else None

    def _shown_tries(self) -> str:
        return ", ".join(self._tried) or "nothing was tried"

    def _by_ssh(self) -> str:
        """The command that tries the same, and says more."""
        options, config = self._options, self._config
        argv = ["ssh", "-v"]
        if options.config_path is not None:
            argv += ["-F", str(options.config_path)]
        for identity in options.identity_files:
            argv += ["-i", str(identity)]
        # By the alias, so that ssh reads the same blocks of its configuration; port and user stand after those.
        return shlex.join([*argv, "-p", str(config.port), f"{config.user}@{config.alias}"])

    def _refused(self) -> NotPermittedError:
        config = self._config
        methods = ", ".join(sorted(self._login.methods)) or "nothing"
        hint = "Give a key by IdentityFile, or load one into the agent with ssh-add."
        if self._still_locked:
            hint = f"Load the key into the agent: `ssh-add {shlex.quote(str(self._still_locked[0]))}`."
        elif self._tried:
            hint = f"Compare with `{self._by_ssh()}`."
        if self._options.password is None and self._login.methods & _ASKED_FOR:
            hint += f" {_NO_TERMINAL}"
        return NotPermittedError(
            f"{config.shown} does not let {config.user} in. Tried: {self._shown_tries()}. The server takes {methods}.",
            hint,
        )


def _printable(text: str) -> str:
    """A server's prompt without what could drive a terminal."""
    return "".join(letter for letter in text if letter.isprintable())[:200]
