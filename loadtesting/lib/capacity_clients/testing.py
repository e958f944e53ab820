"""pytest tests as the client: one session, in which all that was selected runs once for each repetition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from capacity_clients.repetitions import Repetitions
    from capacity_clients.settings import Settings

_QUIET = ("-q", "-p", "no:cacheprovider", "--no-header", "--no-summary", "-o", "addopts=")


class Repeater:
    """Takes the place of pytest's own loop.

    Args:
        wait: says that all is ready, with the reason where it is not, and returns when all are; False where it never will.
    """

    def __init__(
        self, client: int, repetitions: int, record: Repetitions, wait: Callable[[str], bool]
    ) -> None:
        self._client, self._repetitions = client, repetitions
        self._record, self._wait = record, wait
        self.began = False

    def pytest_runtestloop(self, session: Any) -> bool:  # noqa: ANN401 - pytest need not be here
        """Every repetition; pytest's hook."""
        problem = ""
        if session.testsfailed:
            problem = "pytest could not collect the tests (see console.log)"
        elif not session.items:
            problem = "pytest found no such test"
        self.began = True
        if not self._wait(problem):
            return True
        for number in range(1, self._repetitions + 1):
            if not self._record.begin(self._client):
                break
            self._record.end(self._client, self._once(session.items, last=number == self._repetitions))
        return True

    @staticmethod
    def _once(items: list[Any], *, last: bool) -> str | None:
        from _pytest.runner import runtestprotocol

        for place, item in enumerate(items):
            if place + 1 < len(items):
                following = items[place + 1]
            elif last:
                following = None
            else:  # its own fixtures end with it, those of its module and session stay
                following = items[0] if items[0] is not item else item.parent
            if hasattr(item, "_initrequest"):
                item._initrequest()
            for report in runtestprotocol(item, log=False, nextitem=following):
                if report.failed:
                    return _words(report)
                if report.skipped and not hasattr(report, "wasxfail"):
                    return "skipped: " + str(
                        report.longrepr[-1] if isinstance(report.longrepr, tuple) else ""
                    )
        return None


def _words(report: Any) -> str:  # noqa: ANN401 - pytest need not be here
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else str(report.longrepr)
    lines = str(text).strip().splitlines()
    return f"{report.when}: {lines[0]}" if report.when != "call" else (lines[0] if lines else "it failed")


def repeat(settings: Settings, client: int, record: Repetitions, wait: Callable[[str], bool]) -> None:
    """Run what was selected."""
    try:
        import pytest
    except ImportError:
        wait("this Python has no pytest")
        return
    repeater = Repeater(client, settings.repetitions, record, wait)
    selected = "::".join(filter(None, (settings.file, settings.test)))
    code = pytest.main([selected, *_QUIET], plugins=[repeater])
    if not repeater.began:
        wait(f"pytest ended with code {int(code)} before any test (see console.log)")
