"""Following a log that grows by 20,000 lines a second (150 bytes each), twenty seconds long, and one that is calm.

Goal: nothing dropped at 20,000 lines/s; calm, far below 1 % of a core.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from toolkit.recording.places import carried

_LINES_PER_S = 20_000
_SECONDS = 20
_STEP_S = 0.01
_LINE_BYTES = 150
_FOLLOWER = """
import json, os, sys, threading, time
sys.path.insert(0, sys.argv[1])
import log_follower, roles, trees, wire
reading, writing = os.pipe()
lags, counts = [], {"data": 0, "dropped": 0, "blocks": 0}
writer = wire.Writer(writing)
writer.start()

def say(message):
    if message.get("what") == "data":
        counts["data"] += message["bytes"]
        counts["blocks"] += 1
        lags.append((time.time_ns() - (message["since"] or message["t"])) / 1e6)
    elif message.get("what") == "dropped":
        counts["dropped"] += message["bytes"] or 0
    return writer.say(message)

child = os.fork()
if not child:  # the controller's end: it takes whatever comes
    os.close(writing)
    while os.read(reading, 1 << 20):
        pass
    os._exit(0)
os.close(reading)
role = roles.Role(roles.PROGRAM, "benchmark", ("application",))
tree = trees.Tree(trees.Process(os.getpid(), os.getppid(), 0, 0, (), role), (), ())
wanted = {"find": False, "files": sys.argv[2:], "units": [], "limit_bytes": 10**11}
logs = log_follower.Logs(tree, wanted, say, writer.has_room)
print("ready", flush=True)
threading.Thread(target=lambda: (sys.stdin.readline(), over.append(1)), daemon=True).start()
over = []
before, began = time.process_time(), time.monotonic()
while not over:
    logs.tick()
    time.sleep(min(logs.wait_s, 0.25))
spent, lasted = time.process_time() - before, time.monotonic() - began
while not logs.finish():
    time.sleep(0.005)
lags.sort()
with open("/proc/self/status") as file:
    rss = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
print(json.dumps(dict(counts, cpu_s=spent, seconds=lasted, rss_mb=rss / 1024,
    median_ms=lags[len(lags) // 2] if lags else 0, worst_ms=lags[-1] if lags else 0)), flush=True)
writer.close(5)
os.close(writing)
os.waitpid(child, 0)
"""


def main(pairs: int) -> None:
    """Print what following costs, busy and calm."""
    for label, rate in (("20,000 lines/s", _LINES_PER_S), ("calm, 5 logs", 0)):
        rounds = [_measured(rate) for _ in range(max(1, min(3, pairs)))]
        cpu = sorted(100 * item["cpu_s"] / item["seconds"] for item in rounds)
        sys.stdout.write(
            f"  {label:<16} CPU {statistics.median(cpu):5.2f} % of a core [{cpu[0]:.2f} … {cpu[-1]:.2f}]  "
            f"lag median {statistics.median(item['median_ms'] for item in rounds):.0f} ms, "
            f"worst {max(item['worst_ms'] for item in rounds):.0f} ms  "
            f"missing {sum(item['missing'] for item in rounds):.0f} B, "
            f"said dropped {sum(item['dropped'] for item in rounds):.0f} B  "
            f"written {rounds[0]['written'] / 1e6:.1f} MB  RSS {max(item['rss_mb'] for item in rounds):.0f} MB  n={len(rounds)}\n"
        )
        sys.stdout.flush()


def _measured(rate: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as scratch:
        logs = [Path(scratch) / f"access-{number}.log" for number in range(1 if rate else 5)]
        for log in logs:
            log.touch()
        command = [sys.executable, "-c", _FOLLOWER, str(carried("profile") / "agent"), *map(str, logs)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as follower:
            assert follower.stdin is not None
            assert follower.stdout is not None
            follower.stdout.readline()
            written = _write(logs[0], rate)
            follower.stdin.write(b"\n")
            follower.stdin.flush()
            result: dict[str, float] = json.loads(follower.stdout.readline())
    return result | {"written": written, "missing": written - result["data"]}


def _lines() -> list[bytes]:
    """Lines of 150 bytes that pack as real ones do: addresses, paths, sizes, times and request ids differ."""
    chance = random.Random(1)
    made = []
    for _ in range(50_000):
        address = ".".join(str(chance.randrange(256)) for _ in range(4))
        path = f"/{chance.choice(('orders', 'customers', 'stock'))}/{chance.randrange(10**6)}?page={chance.randrange(99)}"
        line = (
            f'{address} - - [21/Nov/2026:04:17:23 +0000] "GET {path} HTTP/1.1" {chance.choice((200, 201, 404))} '
            f"{chance.randrange(10**5)} {chance.randrange(10**6)}us {chance.getrandbits(128):032x} "
        )
        made.append(line.ljust(_LINE_BYTES - 1, "-").encode()[: _LINE_BYTES - 1] + b"\n")
    return made


def _write(log: Path, rate: int) -> int:
    """Append lines at a steady rate; how many bytes."""
    prepared = _lines()
    began, lines, size = time.monotonic(), 0, 0
    file = os.open(log, os.O_WRONLY | os.O_APPEND)
    try:
        while (passed := time.monotonic() - began) < _SECONDS:
            due = int(passed * rate) - lines
            if due > 0:
                size += os.write(
                    file, b"".join(prepared[(lines + item) % len(prepared)] for item in range(due))
                )
                lines += due
            time.sleep(_STEP_S)
    finally:
        os.close(file)
    return size
