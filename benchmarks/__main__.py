"""`python -m benchmarks [name …]`: run all benchmarks, or those named, and print their tables."""

from __future__ import annotations

import argparse
import importlib
import sys

# name → module; each has `main(pairs: int) -> None` and says in its docstring what its goal is.
BENCHMARKS = {
    "recording": "recording_cost",
    "artillery": "artillery_through_toolkit",
    "locust": "locust_recorder_cost",
    "k6": "k6_through_toolkit",
    "beyond": "time_beyond_load",
    "flamegraph": "flamegraph_speed",
    "watching": "watching",
    "logs": "logs",
    "page": "page",
    "sending": "sending",
    "compare": "compare",
}


def main() -> None:
    """Run what was named, in order."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="default: all")
    parser.add_argument("--pairs", type=int, default=7, help="interleaved pairs per row (default 7)")
    given = parser.parse_args()
    for name in given.names or BENCHMARKS:
        module = importlib.import_module(f"benchmarks.{BENCHMARKS[name]}")
        sys.stdout.write(f"\n{name}: {(module.__doc__ or '').strip()}\n\n")
        module.main(given.pairs)


if __name__ == "__main__":
    main()
