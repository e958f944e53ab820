"""How the agent becomes root: `sudo -n` for the very command, else the password, once, on standard input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.errors import NotPermittedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from toolkit.transports.base import Transport

_ASK = ("a password is required", "a terminal is required", "askpass")
_WRONG = ("sorry, try again", "incorrect password", "no password was provided")
_NO_TTY = ("you must have a tty",)
_NO_RULE = ("not in the sudoers", "may not run sudo", "not allowed to", "unknown user", "account validation")
_CHECK_S = 40.0
_RULE_CURE = (
    "Let an administrator run profile/prepare-server.sh there, or add the rule in profile/sudoers.example."
)


class Elevation:
    """The words before the agent's command. The password is held here alone, and is never part of argv."""

    def __init__(self, address: str, *, wanted: bool) -> None:
        self._address = address
        self._wanted = wanted
        self._password = b""

    def __repr__(self) -> str:
        return f"Elevation({self._address!r}, wanted={self._wanted})"

    @property
    def wanted(self) -> bool:
        """Whether sudo is used at all."""
        return self._wanted

    @property
    def unlocked(self) -> bool:
        """Whether a password is in use."""
        return bool(self._password)

    def command(self, argv: Sequence[str]) -> list[str]:
        """`argv`, under sudo where that is wanted. English messages, because they are read (see `refusal`)."""
        if not self._wanted:
            return list(argv)
        how = ["-S", "-k", "-p", ""] if self._password else ["-n"]
        return ["env", "LC_ALL=C", "sudo", *how, "--", *argv]

    def first_input(self) -> bytes:
        """What has to be written to the command's standard input before anything else."""
        return self._password

    def unlock(self, transport: Transport, ask: Callable[[str], str] | None) -> None:
        """Ask for the password and see that sudo takes it.

        It is tried on `sudo -v` first: given to the agent's command at once, a wrong one would make sudo read the
        first line of the protocol as a second guess.

        Raises:
            NotPermittedError: nobody to ask, a wrong password, or no rule for this user.
        """
        if ask is None:
            raise NotPermittedError(
                f"sudo on {self._address} wants a password, and there is no terminal to ask for it.",
                f"Run in a terminal or set `sudo_password:` in the plan. Without a password: {_RULE_CURE}",
            )
        password = ask(f"sudo password for {self._address}").encode("utf-8")
        if not password or b"\n" in password or b"\0" in password:
            raise NotPermittedError(f"No usable sudo password for {self._address} was given.", _RULE_CURE)
        line = password + b"\n"
        argv = ["env", "LC_ALL=C", "sudo", "-S", "-k", "-p", "", "-v"]
        tried = transport.run(argv, stdin=line, timeout_s=_CHECK_S)
        if tried.exit_code != 0:
            raise self.refusal(tried.stderr.decode("utf-8", "replace"))
        self._password = line

    def asks(self, stderr: str) -> bool:
        """Whether `sudo -n` ended because it wants a password."""
        return self._wanted and not self._password and _any_in(_ASK, stderr)

    def is_refusal(self, stderr: str) -> bool:
        """Whether the words are sudo's, and say no."""
        return self._wanted and _any_in((*_WRONG, *_NO_TTY, *_NO_RULE), stderr)

    def refusal(self, stderr: str) -> NotPermittedError:
        """Sudo's refusal as an error with its cure."""
        if _any_in(_WRONG, stderr):
            return NotPermittedError(f"sudo on {self._address} did not take the password.", "Try again.")
        if _any_in(_NO_TTY, stderr):
            return NotPermittedError(
                f"sudo on {self._address} insists on a terminal (requiretty).", f"{_RULE_CURE} Both lift it."
            )
        return NotPermittedError(
            f"sudo on {self._address} does not let this user start the agent as root.", _RULE_CURE
        )


def _any_in(signs: Sequence[str], text: str) -> bool:
    lower = text.lower()
    return any(sign in lower for sign in signs)
