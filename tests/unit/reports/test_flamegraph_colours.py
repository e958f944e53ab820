"""The palette: whose code a frame is, readable text, kinds that stay apart for colour-blind readers."""

from __future__ import annotations

import itertools

import pytest

from toolkit.reports.flamegraph_colours import (
    APPLICATION,
    INK,
    KINDS,
    LIBRARY,
    OTHER,
    SERVER,
    SHADES,
    STANDARD,
    Kind,
    class_of,
    kind_of,
)

Colour = tuple[float, float, float]

# How people without one kind of cone see linear RGB: Machado, Oliveira and Fernandes 2009, severity 1.0.
SEEN = {
    "all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def linear(colour: str) -> Colour:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return red, green, blue


def luminance(colour: str) -> float:
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def lab(rgb: Colour) -> Colour:
    red, green, blue = (min(max(part, 0), 1) for part in rgb)
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883
    fx, fy, fz = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def as_seen(colour: str, eye: str) -> Colour:
    rgb = linear(colour)
    red, green, blue = (sum(row[i] * rgb[i] for i in range(3)) for row in SEEN[eye])
    return lab((red, green, blue))


@pytest.mark.parametrize("eye", SEEN)
def test_the_kinds_stay_apart_for_every_eye(eye: str) -> None:
    for one, other in itertools.combinations(KINDS, 2):
        for shade in range(SHADES):
            a, b = as_seen(one.shade(shade), eye), as_seen(other.shade(shade), eye)
            apart = sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) ** 0.5
            assert apart > 12, f"{one.legend} and {other.legend} are {apart:.1f} apart with {eye}"


def test_text_on_every_shade_has_enough_contrast() -> None:
    for kind, shade in itertools.product(KINDS, range(SHADES)):
        contrast = (luminance(kind.shade(shade)) + 0.05) / (luminance(INK) + 0.05)
        assert contrast >= 4.5, f"{kind.legend}, shade {shade}: {contrast:.2f}"


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("/srv/app/orders/views.py", APPLICATION),
        ("orders/views.py", APPLICATION),
        ("/srv/gunicorn/orders/views.py", APPLICATION),
        ("/srv/app/.venv/lib/python3.11/site-packages/flask/app.py", LIBRARY),
        ("/usr/lib/python3/dist-packages/yaml/__init__.py", LIBRARY),
        ("/srv/app/.venv/lib/python3.11/site-packages/gunicorn/arbiter.py", SERVER),
        ("gunicorn/workers/gthread.py", SERVER),
        ("/srv/app/.venv/bin/gunicorn", SERVER),
        ("/usr/lib/python3.11/threading.py", STANDARD),
        ("/root/.pyenv/versions/3.8.18/lib/python3.8/json/decoder.py", STANDARD),
        ("<frozen importlib._bootstrap>", STANDARD),
        ("concurrent/futures/thread.py", STANDARD),
        ("threading.py", STANDARD),
        ("", OTHER),
    ],
)
def test_the_hue_says_whose_code_it_is(file: str, kind: Kind) -> None:
    assert kind_of(file) is kind


def test_a_function_has_the_same_colour_everywhere() -> None:
    assert class_of(APPLICATION, "handle (app.py:1)") == class_of(APPLICATION, "handle (app.py:1)") == "a2"
    assert len({class_of(LIBRARY, f"f{number} (x.py:1)") for number in range(50)}) == SHADES
