"""Gives the service another number of replicas, by the plan's own command, and waits until they are ready."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import suppress
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError
from toolkit.plan.secrets import mask_urls
from toolkit.run.secret_scan import environment_without_secrets

if TYPE_CHECKING:
    from toolkit.plan.level import Scale
    from toolkit.run.context import Run

_POLL_S = 0.1
_ASK_EVERY_S = 0.5
_ASK_S = 5.0
_LEAVES_WITHIN_S = 2.0
_LAST_BYTES = 4000
_LAST_WORDS = 300


class Scaling:
    """Scales only where the number is another one than before.

    Args:
        run: its interrupts and agents are looked at meanwhile.
        scale: of the plan.
    """

    def __init__(self, run: Run, scale: Scale) -> None:
        self._run, self._scale = run, scale
        self._now: int | None = None

    def to(self, replicas: int) -> None:
        """Run the command, then wait until the service is ready.

        Raises:
            ToolkitError: the command failed, or took too long; the service was not ready in time.
            InterruptedRunError: a signal came.
        """
        if replicas == self._now:
            return
        began = time.monotonic()
        command = self._written(self._scale.command, replicas)
        self._run.desk.observer.note(f"scaling to {_count(replicas)}: {mask_urls(command)}")
        self._run.event("scale_started", replicas=replicas, command=mask_urls(command))
        code, words = self._ran(command, time.monotonic() + self._scale.timeout)
        if code != 0:
            how = f"ended with {code}" if code is not None else f"still ran after {self._scale.timeout:g} s"
            raise ToolkitError(
                f"The command that scales to {_count(replicas)} {how}{f': {words}' if words else ''}.",
                "See load.scale in the plan.",
            )
        self._wait_until_ready(replicas)
        self._now = replicas
        self._run.event("scaled", replicas=replicas, took_s=round(time.monotonic() - began, 3))

    def _written(self, text: str, replicas: int) -> str:
        before = "" if self._now is None else str(self._now)
        return text.replace("{replicas}", str(replicas)).replace("{before}", before)

    def _wait_until_ready(self, replicas: int) -> None:
        ready = self._written(self._scale.ready, replicas)
        if not ready:
            return
        until, asked, words = time.monotonic() + self._scale.timeout, 0.0, ""
        while time.monotonic() < until:
            if time.monotonic() >= asked + _ASK_EVERY_S:
                asked = time.monotonic()
                is_ready, words = self._asked(ready, until)
                if is_ready:
                    return
            self._pause()
        raise ToolkitError(
            f"The service was not ready {self._scale.timeout:g} s after it was scaled to {_count(replicas)}: "
            f"{mask_urls(ready)} said {words or 'nothing'}.",
            "See load.scale.ready in the plan.",
        )

    def _asked(self, ready: str, until: float) -> tuple[bool, str]:
        if not ready.startswith(("http://", "https://")):
            code, words = self._ran(ready, until)
            return code == 0, words or f"exit code {code}"
        try:
            with urllib.request.urlopen(ready, timeout=_ASK_S) as answer:  # noqa: S310 - http alone, see above
                return 200 <= answer.status < 300, str(answer.status)
        except urllib.error.HTTPError as error:
            return False, str(error.code)
        except (OSError, ValueError) as error:
            return False, str(getattr(error, "reason", error))[:_LAST_WORDS]

    def _ran(self, command: str, until: float) -> tuple[int | None, str]:
        """Exit code and last words; None where it was ended because the time was over."""
        environment = environment_without_secrets(self._run.plan)
        with self._run.folder.scale_log.open("ab") as log:
            began = log.tell()
            process = subprocess.Popen(
                ["sh", "-c", command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        try:
            while process.poll() is None and time.monotonic() < until:
                self._pause()
        finally:
            if process.poll() is None:
                _end(process)
                code = None
            else:
                code = process.returncode
        return code, self._last_words(began)

    def _last_words(self, began: int) -> str:
        text = self._run.folder.scale_log.read_bytes()[began:][-_LAST_BYTES:].decode("utf-8", "replace")
        lines = text.strip().splitlines()
        return mask_urls(lines[-1][:_LAST_WORDS]).rstrip(".") if lines else ""

    def _pause(self) -> None:
        time.sleep(_POLL_S)
        self._run.interrupts.check()
        self._run.watch_agents()


def _end(process: subprocess.Popen[bytes]) -> None:
    """With all that it has started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_LEAVES_WITHIN_S)
            return


def _count(replicas: int) -> str:
    return "1 replica" if replicas == 1 else f"{replicas} replicas"
