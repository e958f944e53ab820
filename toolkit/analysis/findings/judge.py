"""`summary["findings"]`: every rule asked once, what it found, what it ruled out, and what it could not tell."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

from toolkit.analysis.findings.finding import CERTAINTIES, LIKELY, PERHAPS, Finding, RuledOut
from toolkit.analysis.findings.moments import moments
from toolkit.analysis.findings.registry import RULES
from toolkit.analysis.findings.words import count, ms

if TYPE_CHECKING:
    from toolkit.analysis.findings.evidence import Evidence

_MOST = 40
_FEWEST_REQUESTS = 100

_log = logging.getLogger(__name__)


def findings_summary(evidence: Evidence) -> dict[str, Any]:
    """`{"found": [as Finding.row, and "id"], "ruled_out": [{"rule", "words", "server"}], "unknown": [as these],
    "left_out": n, "moments": [as Moment]}`; what is found most certain first. Where nothing is found, one row of the rule
    `healthy` says so, if enough was recorded to say it."""
    found: list[tuple[Finding, str]] = []
    ruled_out: list[dict[str, Any]] = []
    unknown: list[dict[str, Any]] = []
    for name, rule in RULES.items():
        try:
            said = list(rule(evidence))
        except Exception as error:  # noqa: BLE001 - one rule's fault on an odd run must not cost the others, nor the report
            _log.warning("The rule %s failed: %s", name, error, exc_info=True)
            words = f"Whether “{name}” holds: the rule failed on this run ({type(error).__name__}), a fault of the toolkit."
            unknown.append({"rule": name, "words": words, "server": None})
            continue
        for one in said:
            if isinstance(one, Finding):
                found.append((one, name))
            else:
                row = {"rule": name, "words": one.words, "server": one.server}
                (ruled_out if isinstance(one, RuledOut) else unknown).append(row)
    if not found and (healthy := _healthy(evidence, ruled_out, unknown)) is not None:
        found.append((healthy, "healthy"))
    found.sort(
        key=lambda pair: CERTAINTIES.index(pair[0].certainty)
    )  # stable: rules of one certainty keep their order
    return {
        "found": _with_ids(found[:_MOST]),
        "ruled_out": ruled_out,
        "unknown": unknown,
        "left_out": max(0, len(found) - _MOST),
        "moments": moments(evidence),
    }


def _with_ids(found: list[tuple[Finding, str]]) -> list[dict[str, Any]]:
    """Each with an id that is an anchor of the page, and stays the same for the same run."""
    taken: dict[str, int] = {}
    rows = []
    for finding, rule in found:
        words = "-".join(filter(None, ["finding", rule, finding.server, finding.same]))
        plain = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:80]
        taken[plain] = taken.get(plain, 0) + 1
        number = f"-{taken[plain]}" if taken[plain] > 1 else ""
        rows.append({"id": plain + number, **finding.row(rule)})
    return rows


def _healthy(
    evidence: Evidence, ruled_out: list[dict[str, Any]], unknown: list[dict[str, Any]]
) -> Finding | None:
    totals = evidence.totals
    if (totals.get("count") or 0) < _FEWEST_REQUESTS or not any(
        server.of_load for server in evidence.servers
    ):
        return None
    asked = len({row["rule"] for row in ruled_out})
    not_asked = sorted({row["rule"] for row in unknown} - {row["rule"] for row in ruled_out})
    trusted = (evidence.summary.get("trust") or {}).get("verdict") == "good"
    evidence_ = [
        f"{count(totals['count'], 'request')}, none failed; p50 {ms(totals['p50_ms'])}, p95 {ms(totals['p95_ms'])}."
        if not totals.get("failed")
        else f"{count(totals['count'], 'request')}, {totals['failed']:,} failed.",
        f"{count(asked, 'rule')} looked and found nothing.",
    ]
    if not_asked:
        evidence_.append(f"Not looked at, for want of recordings: {', '.join(not_asked)}.")
    return Finding(
        title="Healthy: nothing stands out",
        certainty=LIKELY if trusted and asked >= 5 else PERHAPS,
        evidence=evidence_,
        settle="More load, until something does: this says nothing of more than was driven.",
        counts={"requests": totals["count"], "rules": asked},
        part="summary",
    )
