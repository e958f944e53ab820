"""A namespace of a Kubernetes cluster, by the user's own kubectl: whatever logs in to the cluster is its business."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.errors import NotPermittedError, ToolkitError, UnreachableError, UsageError
from toolkit.transports.exchange import run_to_end
from toolkit.transports.local import LocalProcess

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from toolkit.transports.base import Completed

_MISSING = 127
_REQUEST_S = 20
_LONG_S = 120.0
_UNREACHED = (
    "connect to the server",
    "connection refused",
    "no such host",
    "i/o timeout",
    "timed out",
    "TLS handshake",
)
_REFUSED = ("(Forbidden)", "(Unauthorized)", "must be logged in", "provide credentials")


@dataclass(frozen=True)
class Kubectl:
    """One namespace, by one context: never what happens to be current."""

    context: str
    namespace: str

    @property
    def address(self) -> str:
        """As shown to people."""
        return f"the namespace {self.namespace} of the context {self.context}"

    def server(self) -> str:
        """The address of the context's API server, as the user's configuration has it; asks nobody.

        Raises:
            UsageError: there is no kubectl, or no such context.
        """
        words = ("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
        done = self._done(("--context", self.context, *words))
        if done.exit_code != 0 or not done.stdout.strip():
            raise UsageError(
                f"kubectl knows no context {self.context!r}: {last_line(done.stderr)}.",
                "`kubectl config get-contexts` shows those that there are.",
            )
        return done.stdout.decode("utf-8", "replace").strip()

    def may(self, verb: str, resource: str, subresource: str = "") -> bool:
        """Whether the user may do that in the namespace.

        Raises:
            UnreachableError, NotPermittedError: the cluster cannot be asked.
        """
        more = (f"--subresource={subresource}",) if subresource else ()
        done = self.call("auth", "can-i", verb, resource, *more)
        if done.exit_code != 0 and not done.stdout.startswith(b"no"):  # "no", or "no - " and why
            raise self.error(done, "could not be asked what you may do")
        return done.exit_code == 0

    def create(self, folder: Path) -> tuple[list[str], Completed]:
        """Make what a folder for `kubectl apply -k` says, but nothing that is there: (`kind/name` of what was made, how)."""
        done = self._call(("create", "-k", str(folder), "-o", "name"), _LONG_S)
        made = [line.strip() for line in done.stdout.decode("utf-8", "replace").splitlines() if line.strip()]
        return made, done

    def delete(self, names: Sequence[str]) -> Completed:
        """Delete exactly these (`kind/name`), and what they own, without waiting for it."""
        return self._call(
            ("delete", *names, "--ignore-not-found", "--wait=false", "--cascade=background"), _LONG_S
        )

    def listed(self, kind: str, label: str = "") -> list[dict[str, Any]]:
        """All objects of a kind, or those with a label.

        Raises:
            UnreachableError, NotPermittedError, ToolkitError: the cluster did not say.
        """
        done = self.call("get", kind, *(("-l", label) if label else ()), "-o", "json")
        if done.exit_code != 0:
            raise self.error(done, f"did not tell its {kind}")
        found = json.loads(done.stdout)
        return list(found.get("items") or ())

    def listed_one(self, kind: str, name: str) -> dict[str, Any] | None:
        """One object; None where there is none of that name.

        Raises:
            UnreachableError, NotPermittedError, ToolkitError: the cluster did not say.
        """
        done = self.call("get", kind, name, "--ignore-not-found", "-o", "json")
        if done.exit_code != 0:
            raise self.error(done, f"did not tell of the {kind} {name}")
        found: dict[str, Any] | None = json.loads(done.stdout) if done.stdout.strip() else None
        return found

    def logs(self, pod: str, lines: int = 10) -> list[str]:
        """The last lines that a pod printed; none where it cannot be asked."""
        done = self.call("logs", pod, f"--tail={lines}")
        return done.stdout.decode("utf-8", "replace").splitlines() if done.exit_code == 0 else []

    def exec(self, pod: str, container: str, argv: Sequence[str]) -> LocalProcess:
        """Start argv in a pod, and talk to it.

        Raises:
            UnreachableError: kubectl cannot be started.
        """
        return self._start((*self._where(), "exec", "-i", pod, "-c", container, "--", *argv))

    def run_in(
        self, pod: str, container: str, argv: Sequence[str], *, stdin: bytes, timeout_s: float
    ) -> Completed:
        """Run argv in a pod to its end.

        Raises:
            UnreachableError: it outlasted `timeout_s`.
        """
        words = ("exec", "-i", pod, "-c", container, "--", *argv)
        process = self._start((*self._where(), *words))
        return run_to_end(process, words, stdin=stdin, timeout_s=timeout_s, address=self.address)

    def call(self, *words: str) -> Completed:
        """One short command.

        Raises:
            UnreachableError: it did not end in time.
        """
        return self._call(words, _REQUEST_S * 2.0)

    def error(self, done: Completed, what: str) -> ToolkitError:
        """What a command that failed means."""
        text = done.stderr.decode("utf-8", "replace")
        said = f"The cluster ({self.address}) {what}: {last_line(done.stderr) or f'kubectl ended with {done.exit_code}'}."
        if any(word in text for word in _REFUSED):
            return NotPermittedError(said, "Ask whoever keeps the cluster, or log in to it.")
        if any(word in text for word in _UNREACHED):
            return UnreachableError(said, f"`kubectl --context {self.context} get pods` must work.")
        return ToolkitError(said)

    def _where(self) -> tuple[str, ...]:
        return ("--context", self.context, "--namespace", self.namespace)

    def _call(self, words: Sequence[str], timeout_s: float) -> Completed:
        return self._done((*self._where(), f"--request-timeout={_REQUEST_S}s", *words), timeout_s)

    def _done(self, words: Sequence[str], timeout_s: float = 30.0) -> Completed:
        process = self._start(words)
        done = run_to_end(process, ("kubectl", *words), stdin=b"", timeout_s=timeout_s, address=self.address)
        if done.exit_code == _MISSING:
            raise UsageError(
                "kubectl is not installed, or not on the PATH.",
                "A load in a cluster goes by your own kubectl; install the one that your cluster is used with.",
            )
        return done

    def _start(self, words: Sequence[str]) -> LocalProcess:
        try:
            return LocalProcess(("kubectl", *words))
        except OSError as error:
            raise UnreachableError(f"kubectl could not be started: {error.strerror}.") from None


def last_line(text: bytes) -> str:
    """The last that kubectl said, without the point at its end."""
    lines = [line.strip() for line in text.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else ""
