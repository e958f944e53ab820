"""Colours of a difference: readable text on every shade, and every class that is used has its rule."""

from __future__ import annotations

import re

import pytest

from tests.integration.page.sample_profile import sample_profile
from tests.packed_profiles import PackSource
from toolkit.analysis.windows import Selection
from toolkit.analysis.windows_difference import Side, compare
from toolkit.analysis.windows_frames import Naming
from toolkit.analysis.windows_slices import Window
from toolkit.reports.flamegraph_colours import INK
from toolkit.reports.flamegraph_difference import PALETTES, difference_svg, vanished_lines

NORMAL = "second"


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("palette", PALETTES)
def test_text_can_be_read_on_every_shade_and_shades_can_be_told_apart(palette: str) -> None:
    more, less, _ = PALETTES[palette]
    for shades in (more, less):
        lights = [luminance(colour) for colour in shades]
        assert lights == sorted(lights, reverse=True)
        assert all((light + 0.05) / (luminance(INK) + 0.05) >= 4.5 for light in lights)


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize("hostile", [False, True])
def test_a_drawing_stands_alone(palette: str, hostile: bool) -> None:
    source = PackSource(sample_profile(seconds=120, hostile=hostile))
    a, b = (Side(Selection("web-1", "cpu", None, Window(*window))) for window in ((-5, 26), (26, 120)))
    found = compare(source, a, b, Naming(), NORMAL)
    svg = difference_svg(found, "title <&>", "note", normal=NORMAL, palette=palette)

    used = set(re.findall(r'<g class="([und]\d)" data-f', svg))
    assert {"u3", "d3", "n0"} & used
    assert all(f".flamegraph .{name} rect{{fill:#" in svg for name in used)
    assert "title &lt;&amp;&gt;" in svg
    assert "index (views.py) below wsgi_app (app.py)" in "\n".join(vanished_lines(found, NORMAL))
    assert svg.count("<script>") == 1
    assert "\u202e" not in svg


def test_nothing_vanished_is_said() -> None:
    source = PackSource(sample_profile(seconds=120))
    side = Side(Selection("web-1", "cpu", None, Window(40, 90)))

    assert vanished_lines(compare(source, side, side, Naming(), NORMAL), NORMAL) == [
        "Nothing vanished: every frame of A is also in B."
    ]
