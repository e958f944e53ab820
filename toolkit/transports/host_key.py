"""Says why a host's key is refused, and gives the command that mends it."""

from __future__ import annotations

import base64
import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.errors import NotPermittedError
from toolkit.transports.known_hosts import (
    KnownKey,
    Standing,
    Verdict,
    fingerprint,
    host_name_in_files,
    judge,
    known_kinds,
    read_known_hosts,
)
from toolkit.transports.revoked_keys import UnreadableListError, revoking

if TYPE_CHECKING:
    from toolkit.transports.client_config import HostConfig

_USUAL_FILE = Path("~/.ssh/known_hosts")


@dataclass(frozen=True)
class ShownKey:
    """The key that a host showed; `blob` in SSH's wire form."""

    kind: str
    blob: bytes

    def described(self) -> str:
        """Type and fingerprint."""
        return f"{self.kind} key {fingerprint(self.blob)}"

    def line(self, name: str) -> str:
        """Its line in known_hosts."""
        return f"{name} {self.kind} {base64.b64encode(self.blob).decode()}"


class HostKeys:
    """What the known_hosts files of one host say."""

    def __init__(self, config: HostConfig) -> None:
        self._config = config
        self._known = read_known_hosts(config.known_hosts)
        if config.host_key_alias:
            self._names = [config.host_key_alias]
        else:
            # ssh, too, takes the very same key from the line of the host's standard port.
            self._names = list(
                dict.fromkeys([host_name_in_files(config.hostname, config.port), config.hostname.lower()])
            )

    def known_kinds(self) -> list[str]:
        """The key types to ask the host for first."""
        return known_kinds(self._known, self._names)

    def check(self, shown: ShownKey) -> None:
        """Return if the key is known.

        Raises:
            NotPermittedError: it is unknown, changed or revoked; says what to do.
        """
        self._check_revoked(shown)
        verdict = judge(self._known, self._names, shown.kind, shown.blob)
        if verdict.standing is not Standing.KNOWN:
            raise self._refusal(verdict, shown)

    def _check_revoked(self, shown: ShownKey) -> None:
        try:
            place = revoking(self._config.revoked_host_keys, shown.kind, shown.blob)
        except UnreadableListError as error:
            raise NotPermittedError(
                f"Whether the key of {self._config.shown} is revoked cannot be told: {error}.",
                "Mend or remove RevokedHostKeys in your SSH configuration; ssh itself refuses such a list, too.",
            ) from None
        if place is not None:
            raise self._refusal_of_revoked(shown, place)

    def _refusal_of_revoked(self, shown: ShownKey, place: str) -> NotPermittedError:
        return NotPermittedError(
            f"{self._config.shown} shows the {shown.described()}, which is revoked ({place}).",
            "Do not connect. Ask whoever runs the host for its new key.",
        )

    def _refusal(self, verdict: Verdict, shown: ShownKey) -> NotPermittedError:
        place = ", ".join(f"{line.path} line {line.line}" for line in verdict.lines[:3])
        where = f"{self._config.shown} shows the {shown.described()}"
        if verdict.standing is Standing.REVOKED:
            return self._refusal_of_revoked(shown, place)
        if verdict.standing is Standing.CHANGED:
            return NotPermittedError(
                f"The key of {self._config.shown} has changed: {where}, but {place} has another one. "
                "Somebody may be listening in, or the host was set up anew.",
                f"{self._compare()} Then replace the old key: {self._forget(verdict.lines)} && {self._learn(shown)}",
            )
        reason = {
            Standing.OTHER_KIND: f", but only keys of other types are known ({place})",
            Standing.AUTHORITY_ONLY: f"; {place} has a @cert-authority for it, and this toolkit reads no host certificates",
        }.get(verdict.standing, ", which is not in known_hosts")
        return NotPermittedError(
            f"{where}{reason}.{self._policy()}", f"{self._compare()} {self._keep()}Then: {self._learn(shown)}"
        )

    def _compare(self) -> str:
        return "First compare the fingerprint with what `ssh-keygen -lf` says of the key on the host itself."

    def _policy(self) -> str:
        """A looser policy of the client's configuration is told, not followed."""
        asked = self._config.strict_host_key_checking
        if asked in {"yes", "ask", ""}:
            return ""
        return f" (StrictHostKeyChecking {asked} is not followed: an unknown key is always refused.)"

    def _learning_file(self) -> Path | None:
        """The first of the files that keeps what this user writes to it, and is the user's own."""
        first, *others = self._config.known_hosts
        files = [first, *(path for path in others if not path.is_relative_to("/etc"))]
        return next((path for path in files if _keeps(path)), None)

    def _keep(self) -> str:
        if self._learning_file() is not None:
            return ""
        files = ", ".join(str(path) for path in self._config.known_hosts)
        return (
            f"Your SSH configuration keeps no keys (known_hosts is {files}): "
            f"give the plan `ssh: {{known_hosts: {_USUAL_FILE}}}`, or the configuration that UserKnownHostsFile. "
        )

    def _learn(self, shown: ShownKey) -> str:
        path = self._learning_file() or _USUAL_FILE.expanduser()
        target = shlex.quote(str(path))
        make = "" if path.parent.is_dir() else f"mkdir -m 700 -p {shlex.quote(str(path.parent))} && "
        config = self._config
        if config.direct and not config.host_key_alias:
            port = "" if config.port == 22 else f"-p {config.port} "
            return f"{make}ssh-keyscan {port}{shlex.quote(config.hostname)} >> {target}"
        # ssh-keyscan can neither pass a jump host nor write another name.
        return f"{make}echo {shlex.quote(shown.line(self._names[0]))} >> {target}"

    def _forget(self, lines: tuple[KnownKey, ...]) -> str:
        """ssh-keygen -R takes out every line of a name, but none that names hosts by a pattern."""
        commands = []
        by_file: dict[Path, list[KnownKey]] = {}
        for line in lines:
            by_file.setdefault(line.path, []).append(line)
        for path, ones in by_file.items():
            target = shlex.quote(str(path))
            numbers = "".join(f"{line.line}d;" for line in ones).rstrip(";")
            if any(line.by_pattern() for line in ones):
                commands.append(f"sed -i.old {shlex.quote(numbers)} {target}")
            else:
                commands.append(f"ssh-keygen -R {shlex.quote(self._names[0])} -f {target}")
        return " && ".join(commands)


def _keeps(path: Path) -> bool:
    """Whether what is written to a file can be read from it later: not so of /dev/null."""
    if path.exists():
        return path.is_file() and os.access(path, os.W_OK)
    nearest = next((folder for folder in path.absolute().parents if folder.exists()), None)
    return nearest is not None and nearest.is_dir() and os.access(nearest, os.W_OK)
