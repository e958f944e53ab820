"""Failed requests by what failed, as summary.txt, the page's figures and its charts all say it."""

from __future__ import annotations

from typing import Any


def failure_parts(counts: dict[str, Any]) -> list[tuple[str, int]]:
    """(words, requests) of all that failed, each request in one part alone; parts without a request are left out.

    `counts`: a row of the summary with `errors`, `status_4xx`, `status_5xx` and `failed`.
    """
    parts = [("no answer", counts["errors"]), ("4xx", counts["status_4xx"]), ("5xx", counts["status_5xx"])]
    checks = checks_alone(counts)
    parts.append(("failed check" if checks == 1 else "failed checks", checks))
    return [(words, count) for words, count in parts if count]


def checks_alone(counts: dict[str, Any]) -> int:
    """Answers below status 400 in which a check failed: what of the failed is in no other part."""
    return int(counts["failed"] - counts["errors"] - counts["status_4xx"] - counts["status_5xx"])
