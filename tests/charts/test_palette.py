"""One table of colours: readable in both themes wherever they are used together, and no colour stands anywhere else."""

import re
from itertools import product
from pathlib import Path

import pytest

from pilotbase.charts.drawing import DEEPEST, paint, tokens, tokens_sheet

ROOT = Path(__file__).parents[2]
WRITTEN = re.compile(r"(?<![&\w])#(?:[0-9a-fA-F]{8}|[0-9a-fA-F]{6}|[0-9a-fA-F]{3,4})\b(?!;)|\b(?:rgba?|hsla?|oklch)\(")
GROUNDS = ("page", "paper", "sunk", "raised")
TONES = ("slate", "blue", "green", "red", "amber", "violet", "yellow", "orange")
READ = {
    **{pair: 4.5 for pair in product(("ink", "ink2", "link"), (*GROUNDS, "tint"))},
    **{("ink3", ground): 4.5 for ground in GROUNDS},
    **{(tone, f"{tone}-bg"): 4.5 for tone in TONES},
    **{pair: 4.5 for pair in product(("green", "red", "amber"), ("page", "paper", "sunk"))},
    **{("ink", f"{tone}-bg"): 4.5 for tone in TONES},
    **{("ink2", f"{tone}-bg"): 4.5 for tone in TONES},
    ("ink", "tint2"): 4.5,
    ("onfill", "fill"): 4.5,
    **{(mark, "paper"): 3.0 for mark in ("brand", "edge", *(name for name in tokens() if name.endswith("-mark")))},
}
"""What is drawn on what → how far they stand apart at least: words 4.5, marks and borders of fields 3 (WCAG 2.2)."""


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_whatever_is_read_stands_out(theme):
    colour = {name: both[theme] for name, both in tokens().items()}
    close = {pair: contrast(colour[pair[0]], colour[pair[1]]) for pair in READ}
    assert {pair: round(found, 2) for pair, found in close.items() if found < READ[pair]} == {}
    deepest = mixed(colour["brand"], colour["paper"], DEEPEST)
    assert contrast(colour["ink"], deepest) >= 4.5


def test_a_browser_without_both_themes_shows_the_light_one():
    plain = dict(re.findall(r"\n  --([a-z0-9-]+): (#[0-9a-f]{6});", tokens_sheet()))
    assert plain == {name: light for name, (light, _) in tokens().items()}


def test_a_chart_in_a_file_of_its_own_is_light():
    assert paint("ink") == f"var(--ink, {tokens()['ink'][0]})"


def test_colours_stand_in_one_place():
    sheets = [one for end in ("css", "html", "jinja", "py") for one in ROOT.glob(f"*/**/*.{end}")]
    ours = [one for one in sheets if one.is_relative_to(ROOT / "src") or one.is_relative_to(ROOT / "estate")]
    found = {str(one.relative_to(ROOT)): WRITTEN.findall(one.read_text("utf-8")) for one in ours}
    named = {name: colours for name, colours in found.items() if colours and not name.endswith("look/tokens.css")}
    assert named == {}
    used = {name for one in ours for name in re.findall(r"var\(--([a-z0-9-]+)", one.read_text("utf-8"))}
    given = set(re.findall(r"--([a-z0-9-]+):", tokens_sheet()))
    assert used <= given | {"{name}"}


def mixed(over, under, share):
    pairs = zip(parts(over), parts(under), strict=True)
    return "#" + "".join(f"{round(share * one + (1 - share) * two):02x}" for one, two in pairs)


def contrast(one, two):
    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour):
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (p / 255 for p in parts(colour))
    ]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def parts(colour):
    return [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
