"""Every pair of colours that meets on a page can be read, by day and in the evening (WCAG 2.2, 1.4.3 and 1.4.11)."""

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[2] / "static" / "soi.css").read_text(encoding="utf-8")
GROUNDS = ("paper", "starch")
WASHES = ("leaf-wash", "flower-wash", "straw-wash", "indigo-wash")
TEXT = (
    [
        (ink, ground)
        for ground in GROUNDS
        for ink in ("ink", "ink-soft", "leaf", "leaf-deep", "flower", "rack", "indigo")
    ]
    + [("ink", wash) for wash in WASHES]
    + [("ink-soft", wash) for wash in ("leaf-wash", "flower-wash", "straw-wash")]
    + [("leaf", "leaf-wash"), ("leaf-deep", "leaf-wash"), ("flower", "flower-wash"), ("rack", "straw-wash")]
    + [("indigo", "indigo-wash"), ("on-leaf", "leaf"), ("on-leaf", "leaf-deep"), ("on-flower", "flower")]
    + [("ink", "straw-soft"), ("ink-soft", "straw-soft")]
)
SHAPES = [
    ("edge", "paper"),
    ("edge", "starch"),
    ("rope", "noodle"),
    ("rack", "straw-wash"),
    ("indigo", "indigo-wash"),
    ("leaf", "straw-soft"),
    ("flower", "starch"),
]


def tokens(scheme: str) -> dict[str, str]:
    """The sheet's colour tokens by name; dark ones override the light ones."""
    light, dark = re.findall(r":root \{(.*?)\n\}", CSS, re.DOTALL)[:2]
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    return found | dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark)) if scheme == "dark" else found


def luminance(colour: str) -> float:
    def linear(part: str) -> float:
        value = int(part, 16) / 255
        return float(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)

    red, green, blue = (linear(colour[i : i + 2]) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dim, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dim + 0.05)


def test_black_on_white_is_the_most_that_contrast_can_be() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_colour_can_be_read_on_every_ground_it_stands_on(scheme: str) -> None:
    colours = tokens(scheme)
    weak = {(a, b): round(contrast(colours[a], colours[b]), 2) for a, b in TEXT}
    assert {pair: value for pair, value in weak.items() if value < 4.5} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_line_that_carries_meaning_can_be_seen(scheme: str) -> None:
    colours = tokens(scheme)
    weak = {(a, b): round(contrast(colours[a], colours[b]), 2) for a, b in SHAPES}
    assert {pair: value for pair, value in weak.items() if value < 3} == {}


def test_the_dark_scheme_answers_every_colour_of_the_light_one() -> None:
    dark_block = re.findall(r":root \{(.*?)\n\}", CSS, re.DOTALL)[1]
    assert set(re.findall(r"--([\w-]+): #", dark_block)) == set(tokens("light"))


def test_the_sheet_stays_small_enough_for_a_slow_network() -> None:
    assert len(CSS.encode()) <= 31 * 1024
