"""The cpu view against the CPU time that the kernel counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.run_folders import RunFolderBuilder, raw
from tests.server_metrics import ServerWatch, process
from toolkit.analysis.tables import open_tables
from toolkit.analysis.trust.cpu_time import counted_s, cpu_counted

if TYPE_CHECKING:
    from pathlib import Path


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


@pytest.mark.parametrize(
    ("until_s", "lost", "counted"),
    [(20, (), 10.0), (19, (), 10.0), (12, (), None), (20, (1,), 7.5)],
    ids=["whole", "nearly whole", "cut", "a chunk lost"],
)
def test_what_the_kernel_counted_is_of_the_same_seconds(
    tmp_path: Path, until_s: int, lost: tuple[int, ...], counted: float | None
) -> None:
    """Half a core all the time; four chunks of 5 s; the metrics end after `until_s`."""
    builder = RunFolderBuilder(tmp_path)
    builder.server("web", {"cpu": {"valid": True, "rate_hz": 20.0}})
    for seq in range(4):
        builder.chunk("web", "cpu", seq, raw(701, ("work (/srv/shop.py:1)",), 50))
        if seq in lost:
            builder.run.server("web").chunk("cpu", seq).write_bytes(b"rubbish")
    watch = ServerWatch(builder, "web")
    for second in range(-2, until_s + 1):
        watch.line(second, processes=[process(701, cpu_user=0.5 * (second + 2), cpu_system=0.0)])

    with open_tables(builder.build()) as connection:
        found = counted_s(connection, "web")

    assert found == (None if counted is None else pytest.approx(counted, rel=0.03))
