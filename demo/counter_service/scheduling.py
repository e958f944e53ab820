"""The hot spot: rates every slot of a day. Pure Python on purpose, see "The hot spot" in demo/README.md."""

from __future__ import annotations

from typing import Any


def score_slots(
    slots: tuple[str, ...],
    counters: list[dict[str, Any]],
    services: list[dict[str, Any]],
    booked: dict[str, int],
) -> list[dict[str, Any]]:
    """Rate each slot: how well the counters that are free then suit the services that people come for.

    The cost is slots x counters x services, whatever the number of appointments: it stays the same
    through a load test.
    """
    rated = []
    for position, slot in enumerate(slots):
        taken = booked.get(slot, 0)
        rush = 1.0 + 0.5 * abs(position - len(slots) / 2) / len(slots)
        score = 0.0
        for counter in counters:
            skill = counter["skill"]
            for service in services:
                minutes = service["minutes"]
                fit = 1.0 - abs(minutes / 60.0 - skill / 5.0)
                walk = (position * 7 + counter["id"] * 3 + service["id"]) % 11
                score += fit * rush / (1.0 + walk * 0.1) - 0.01 * taken
        rated.append({"slot": slot, "score": round(score, 3), "free": max(0, len(counters) - taken)})
    return rated
