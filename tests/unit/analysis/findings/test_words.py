"""Numbers and texts as findings say them."""

from __future__ import annotations

from toolkit.analysis.findings.words import one_line


def test_a_message_of_several_lines_is_one_sentence() -> None:
    assert one_line("first\nsecond\n\n  fourth") == "first second fourth"
    assert one_line("x" * 400) == "x" * 300 + "…"
