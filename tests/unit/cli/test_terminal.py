"""What a server says must not steer the operator's terminal; a pipe gets plain lines."""

from __future__ import annotations

from toolkit.commands.terminal import PlainObserver, harmless
from toolkit.run.desk import Progress


def test_control_characters_and_direction_overrides_become_visible() -> None:
    assert harmless("a\x1b[2Jb\u202ec\x07d\ne") == "a\\u001b[2Jb\\u202ec\\u0007d\ne"


def test_a_pipe_gets_a_line_a_stage_and_the_figures_at_intervals() -> None:
    lines: list[str] = []
    observer = PlainObserver(lines.append)
    observer.stage("drive load")
    observer.note("two\x1b[1m lines")
    observer.progress(Progress(1.0, requests=3))
    assert [line.split("] ")[1] for line in lines] == ["drive load", "  two\\u001b[1m lines"], (
        "the first figures come after 5 s"
    )
    observer._last -= 6  # as if six seconds had passed
    observer.progress(Progress(61.0, 9.0, 120, 24.5, 81.4, 2, 400))
    assert lines[-1].endswith(
        "61 s elapsed, 9 s left, 120 requests, 24.5/s, p95 81 ms, 2 failed, 400 samples"
    )
    assert not any("\x1b" in line for line in lines)
