"""The cpu view against the CPU time that the kernel counted."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.analysis.trust.cpu_time import cpu_counted


def view(sampled_s: float, samples: int = 100) -> dict[str, Any]:
    return {"view": "cpu", "shown": True, "sampled_s": sampled_s, "samples": samples, "rate_hz": 10.0}


@pytest.mark.parametrize(
    ("sampled_s", "tone", "told"),
    [
        (33.0, "good", ""),
        (
            79.5,
            "warn",
            "its samples add up to 79.5 s of CPU, the kernel counted 32.4 s: threads that waited for a core",
        ),
        (9.0, "warn", "were not seen at it"),
    ],
)
def test_samples_that_do_not_add_up_to_what_was_used_are_doubtful(
    sampled_s: float, tone: str, told: str
) -> None:
    (finding,) = cpu_counted("web", view(sampled_s), 32.4, 1.0)

    assert finding.tone == tone
    assert told in finding.reason
    assert bool(finding.reason) == (tone == "warn")


@pytest.mark.parametrize(("counted_s", "samples"), [(None, 100), (0.5, 3)])
def test_what_was_not_counted_or_hardly_sampled_is_not_judged(counted_s: float | None, samples: int) -> None:
    assert list(cpu_counted("web", view(50.0, samples), counted_s, None)) == []


def test_a_host_without_a_core_to_spare_is_named() -> None:
    (finding,) = cpu_counted("web", view(79.5), 32.4, 0.05)

    assert "the host had none to spare" in finding.reason
