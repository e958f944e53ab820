"""The plan's requests as a k6 script: arrivals at a rate, an id on each request, the phase in each sample.

The script is the same for all. What it sends comes by its environment: a header may hold a secret, and the script stays in the
run folder.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolkit.engines.k6.settings import K6Options

GIVEN = "TOOLKIT_K6_GIVEN"
SCRIPT = """// The toolkit's own: sends the requests of a plan, which it is given by TOOLKIT_K6_GIVEN.
import http from 'k6/http';
import exec from 'k6/execution';

const given = JSON.parse(__ENV.TOOLKIT_K6_GIVEN);
export const options = given.options;
const total = given.requests.reduce((sum, one) => sum + one.weight, 0);

function chosen() {
  let left = Math.random() * total;
  for (const one of given.requests) {
    left -= one.weight;
    if (left < 0) return one;
  }
  return given.requests[given.requests.length - 1];
}

// What is asked of k6/execution costs more than a request: once for each user.
let metadata = null;
let prefix = '';
let number = 0;
let began = 0;

export default function () {
  if (metadata === null) {
    metadata = exec.vu.metrics.metadata;
    prefix = `${__ENV.TOOLKIT_RUN}-${exec.vu.idInTest}-`;
    began = exec.scenario.startTime;
  }
  const one = chosen();
  const id = `${prefix}${++number}`;
  metadata.rid = id;
  const at = (Date.now() - began) / 1000;
  metadata.phase = String(given.ends.findIndex((end) => at < end));
  const headers = { ...one.headers, 'X-Request-ID': id };
  http.request(one.method, given.target + one.path, one.body, { headers, tags: { name: one.name } });
}
"""


def given_of(options: K6Options, target: str) -> str:
    """What the script is given, as JSON. A stage begins at its own rate, or rises from another; whole numbers a second."""
    stages: list[dict[str, Any]] = []
    rate = options.stages[0].rate if options.stages[0].begins is None else options.stages[0].begins
    start = rate
    for stage in options.stages:
        begins = stage.rate if stage.begins is None else stage.begins
        if begins != rate:
            stages.append({"target": begins, "duration": "0s"})
        stages.append({"target": stage.rate, "duration": f"{stage.duration_s:g}s"})
        rate = stage.rate
    ends: list[float] = []
    for stage in options.stages:
        ends.append((ends[-1] if ends else 0.0) + stage.duration_s)
    executor = {
        "executor": "ramping-arrival-rate",
        "startRate": start,
        "timeUnit": "1s",
        "preAllocatedVUs": min(options.vus, max(20, *(stage.rate for stage in options.stages))),
        "maxVUs": options.vus,
        "gracefulStop": "10s",
        "stages": stages,
    }
    given = {
        "target": target.rstrip("/"),
        "requests": [
            {
                "method": one.method,
                "path": one.path,
                "name": one.name,
                "headers": one.headers,
                "body": one.body,
                "weight": one.weight,
            }
            for one in options.requests
        ],
        "ends": ends,
        "options": {"discardResponseBodies": True, "scenarios": {"load": executor}},
    }
    return json.dumps(given)
