"""Every threshold of the verdict, with its reason.

Measured facts: Artillery 2.0.34 on two cores. Offered 5,000 users a second it made 2,098; nothing said so, and its exit code was
0. With 400 users in a closed loop against a server that sleeps 50 ms it reported a median of 72 to 78 ms while a canary saw 51;
against a server that was itself full both saw the same (2,060 and 2,014 ms).
"""

from __future__ import annotations

LEAST_ARRIVALS = 50
"""Planned users of a phase; of fewer one or two make too many percent."""
ARRIVALS_DOUBTFUL = 0.95
"""Of the planned users, that arrived in the planned time. Healthy: 0.976 to 1 (a ramp of 1,000 a second made 976)."""
ARRIVALS_INVALID = 0.90
"""Invalid only where the generator was seen to be at its limit."""
TICKS_LATE = 2
"""Users of each generator thread that may come just after a phase: a ramp's last tick falls on its end."""
GRACE_S = 0.25
"""As long after the planned end a user counts as in time: timers of a busy machine."""
POISSON_DEVIATIONS = 4.0
"""`mode: poisson` draws its arrivals: fewer than planned by so many standard deviations is no chance."""

STRETCH_DOUBTFUL = 0.05
STRETCH_LEAST_S = 1.0
"""A phase that took longer. A ramp sleeps once a second and oversleeps by 1 to 2 ms each time, which is 0.2 %."""

BUSY_THREAD = 0.90
"""Cores that the busiest thread used or waited for. Artillery makes all requests of a worker in one thread."""
BUSY_SHARE = 0.5
"""Of the seconds of the load."""
HOST_BUSY = 0.95
"""Of the cores of the generator's machine."""

LOOP_DOUBTFUL_MS = 15.0
"""Median over the seconds of the 99th percentile. Measured: healthy below 8, saturated in a closed loop 25.6."""
LATE_DOUBTFUL_MS = 100.0
LATE_INVALID_MS = 1000.0
"""Mean lateness of all users that arrived. Healthy: 1 to 20 ms on two busy cores; overloaded: seconds."""
LAG_P50_DOUBTFUL_MS = 50.0
LAG_P99_DOUBTFUL_MS = 1000.0
"""From the intended to the actual start of requests: latency that the latencies do not show."""

WINDOWS_S = (5, 15, 60)
"""Canary and load are compared in windows of so many seconds, the first that hold enough: 100 answers of the canary at its full
pace are in the shortest; where each takes seconds, a few in the longest."""
WINDOW_LEAST_LOAD = 20
WINDOW_LEAST_CANARY = 5
WINDOWS_LEAST = 2
WINDOWS_SHARE = 2 / 3
"""So many of the windows that can be compared must agree."""
EXCESS_MS = 10.0
EXCESS_SHARE = 0.25
"""By how much the load's median is above the canary's where it is called slow: by both. Healthy: 1 ms; saturated: 21 ms, 41 %."""
EXCESS_INVALID_MS = 15.0
EXCESS_INVALID_SHARE = 0.3
"""Invalid only from here, and only where the generator was seen to be at its limit and its event loop late."""
LOOP_SHARE = 0.2
"""Of that excess, at least, that the event loop's mean delay must explain (a request passes through several turns)."""
SIZES_DIFFER = 0.2
"""Two answers of the same address that differ more in size are not the same answer."""

SKIPPED_DOUBTFUL = 0.05
"""Of the users: not let in over maxVusers, so that the load was smaller than offered."""

CLOCK_DOUBTFUL_MS = 500.0
"""Error of a server's clock offset: half a second moves what a server did to another second of the chart."""
BUDGET_EXCEEDED = 1.5
"""Times the profiler's CPU budget. Its rate aims at nine tenths; half as much again is what a floor of 2 Hz may cost."""
CPU_MORE, CPU_LESS = 1.5, 0.5
"""Times the CPU time that the kernel counted, which the samples of the cpu view add up to. Healthy: 0.75 to 1.2."""
CORES_SPARE = 0.2
CPU_SAMPLES_ENOUGH = 20
"""So many samples, seen or to be expected, before their sum says anything."""
CHUNKS_DOUBTFUL = 0.05
"""Of a view's chunks: lost or late. A late chunk's samples are too few for its time."""
LATE_CHUNK_S = 1.0
DROPPED_DOUBTFUL = 0.05
"""Of a view's stacks, that the recorder could not read."""
DROPPED_ENOUGH = 10
"""So many stacks that could not be read before their share says anything: one of seven is chance."""
RECORDS_DOUBTFUL = 0.01
"""Of the request records, that could not be read or believed."""
