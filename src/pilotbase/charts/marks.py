"""Status as shape, colour and word: a mark, the five verifications in a row; a certificate's badge, time, QR code."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import groupby

import qrcode  # type: ignore[import-untyped]

from pilotbase.charts.drawing import AMBER, GREEN, HAIR, LINE, MUTED, PAPER, RED, Drawing, Point, paint, width_of
from pilotbase.charts.scales import Scale
from pilotbase.documents.report import Section
from pilotbase.documents.texts import Language, text
from pilotbase.documents.vocabularies import Outcome, Verdict, Verification

COLOURS = {
    Outcome.PASS: GREEN,
    Outcome.FAIL: RED,
    Outcome.INCONCLUSIVE: AMBER,
    Outcome.NOT_MEASURED: MUTED,
}
OUTCOME_OF = {
    Verdict.ACCEPT: Outcome.PASS,
    Verdict.REJECT: Outcome.FAIL,
    Verdict.INCONCLUSIVE: Outcome.INCONCLUSIVE,
}
GAP = 8
_BADGE, _MARGIN, _LETTERS = 24, 10, 12
_WIDE, _BAR, _ROUND = 1000, 8, 7
_NAME = "Pilotbase"
_GROUNDS = {"pass": "green", "fail": "red", "open": "amber", "hold": "violet", "end": "slate"}
_LOOKS = {"pass": "green-mark", "fail": "red-mark", "open": "amber-mark", "hold": "violet-mark", "end": "edge"}
MODULE, QUIET = 4, 4
"""Units a module is wide, and modules of the quiet zone that readers need."""


@cache
def status_mark(outcome: Outcome, language: Language = "en") -> str:
    """Return the mark of ``outcome`` alone, 24 × 24: disc, square, triangle, or empty ring."""
    drawing = Drawing(24, 24, text(f"outcome.{outcome.value}").render(language), "")
    _draw_mark(drawing, outcome, (12, 12), 10)
    return drawing.to_svg()


def mark_symbols() -> str:
    """Return every mark as a symbol of a page; it shows nothing by itself: `used_mark` does."""
    symbols = ""
    for one in Outcome:
        drawn = re.sub(r"^<svg.*?<desc />|</svg>$", "", status_mark(one))
        symbols += f'<symbol id="mark-{one.value}" viewBox="0 0 24 24">{drawn}</symbol>'
    return f'<svg width="0" height="0" aria-hidden="true">{symbols}</svg>'


def used_mark(outcome: Outcome) -> str:
    """Return the mark of ``outcome`` on a page that has `mark_symbols`, beside a word that says what it means."""
    size = 'viewBox="0 0 24 24" width="24" height="24"'
    return f'<svg {size} aria-hidden="true"><use href="#mark-{outcome.value}"/></svg>'


def _draw_mark(drawing: Drawing, outcome: Outcome, centre: Point, radius: float) -> None:
    """Draw the mark of ``outcome``: disc with a tick, square with a cross, triangle with a query, ring with a dash."""
    x, y, r, colour = centre[0], centre[1], radius, COLOURS[outcome]
    stroke = max(1.6, r * 0.2)
    if outcome is Outcome.PASS:
        drawing.circle(centre, r, colour)
        drawing.path(
            [(x - r * 0.45, y + r * 0.02), (x - r * 0.1, y + r * 0.38), (x + r * 0.48, y - r * 0.34)], PAPER, stroke
        )
    elif outcome is Outcome.FAIL:
        side = r * 0.9
        drawing.rectangle((x - side, y - side), (2 * side, 2 * side), colour, rounding=r * 0.2)
        drawing.path([(x - r * 0.4, y - r * 0.4), (x + r * 0.4, y + r * 0.4)], PAPER, stroke)
        drawing.path([(x - r * 0.4, y + r * 0.4), (x + r * 0.4, y - r * 0.4)], PAPER, stroke)
    elif outcome is Outcome.INCONCLUSIVE:
        drawing.polygon([(x, y - r), (x + r * 1.08, y + r * 0.88), (x - r * 1.08, y + r * 0.88)], colour)
        drawing.path([(x, y - r * 0.34), (x, y + r * 0.22)], PAPER, stroke)
        drawing.circle((x, y + r * 0.58), stroke * 0.55, PAPER)
    else:
        drawing.circle(centre, r - 1, PAPER, colour, 2)
        drawing.path([(x - r * 0.4, y), (x + r * 0.4, y)], colour, stroke)


@dataclass(frozen=True)
class _Cell:
    number: int
    name: str
    outcome: Outcome
    word: str


def verdict_strip(sections: Sequence[Section], language: Language, *, stacked: bool = False) -> str:
    """Return the strip as SVG: five cells in a row, or ``stacked`` for a narrow screen.

    A verification that the report lacks is *not measured*.
    """
    outcomes = {section.verification: section.outcome for section in sections}
    cells = []
    for number, part in enumerate(Verification, 1):
        outcome = outcomes.get(part, Outcome.NOT_MEASURED)
        words = (text(f"verification.{part.value}"), text(f"outcome.{outcome.value}"))
        name, word = (said[:1].upper() + said[1:] for said in (one.render(language) for one in words))
        cells.append(_Cell(number, name, outcome, word))
    width, height = (340, 52) if stacked else (200, 80)
    across, down = (1, len(cells)) if stacked else (len(cells), 1)
    description = "; ".join(f"{cell.name}: {cell.word}" for cell in cells)
    title = text("chart.strip.title").render(language)
    drawing = Drawing(across * (width + GAP) - GAP + 2, down * (height + GAP) - GAP + 2, title, description)
    for index, cell in enumerate(cells):
        x = 1 + (0 if stacked else index * (width + GAP))
        y = 1 + (index * (height + GAP) if stacked else 0)
        drawing.rectangle((x, y), (width, height), PAPER, rounding=8, outline=LINE)
        (_draw_row if stacked else _draw_tile)(drawing, (x, y), cell)
    return drawing.to_svg()


def _draw_tile(drawing: Drawing, corner: tuple[float, float], cell: _Cell) -> None:
    x, y = corner
    drawing.text((x + 14, y + 25), f"{cell.number}", colour=MUTED)
    drawing.text((x + 28, y + 25), cell.name, colour=MUTED)
    _draw_mark(drawing, cell.outcome, (x + 25, y + 53), 11)
    drawing.text((x + 44, y + 58), cell.word, colour=COLOURS[cell.outcome], bold=True, size=16)


def _draw_row(drawing: Drawing, corner: tuple[float, float], cell: _Cell) -> None:
    x, y = corner
    _draw_mark(drawing, cell.outcome, (x + 28, y + 26), 12)
    drawing.text((x + 54, y + 21), f"{cell.number}  {cell.name}", colour=MUTED, size=13)
    drawing.text((x + 54, y + 41), cell.word, colour=COLOURS[cell.outcome], bold=True, size=15)


def badge(words: str, look: str, title: str) -> str:
    """Return ``words`` beside the product's name as SVG, 24 high, white on the colour of the state ``look``.

    Others show it as an image on pages of their own, so it keeps the light theme's colours.
    """
    left, right = (width_of(part, _LETTERS) + 2 * _MARGIN for part in (_NAME, words))
    drawing = Drawing(left + right, _BADGE, title, "")
    drawing.rectangle((0, 0), (left + right, _BADGE), paint(_GROUNDS[look]), rounding=5)
    drawing.rectangle((0, 0), (left, _BADGE), paint("ink"), rounding=5)
    drawing.rectangle((left - 5, 0), (5, _BADGE), paint("ink"))
    with drawing.bare():
        for centre, part in ((left / 2, _NAME), (left + right / 2, words)):
            drawing.text((centre, 16), part, anchor="middle", colour=paint("onfill"), bold=True)
    return drawing.to_svg()


def validity_bar(begins: datetime, ends: datetime, now: datetime, look: str, words: tuple[str, str, str]) -> str:
    """Return how far ``now`` is between ``begins`` and ``ends``; ``words``: what it shows, and a label at each end."""
    drawing = Drawing(_WIDE, 44, words[0], "")
    scale = Scale(begins.timestamp(), ends.timestamp(), 0, _WIDE)
    reached, middle = scale(now.timestamp()), _ROUND
    drawing.rectangle((0, middle - _BAR / 2), (_WIDE, _BAR), HAIR, rounding=4)
    drawing.rectangle((0, middle - _BAR / 2), (reached, _BAR), paint(_LOOKS[look]), rounding=4)
    drawing.circle((min(max(reached, _ROUND), _WIDE - _ROUND), middle), _ROUND, paint(_LOOKS[look]))
    drawing.text((0, 36), words[1], colour=MUTED)
    drawing.text((_WIDE, 36), words[2], anchor="end", colour=MUTED)
    return drawing.to_svg()


def qr_code(content: str, title: str) -> str:
    """Return ``content`` (an address of at most some hundred letters) as a QR code, with error correction level M."""
    code = qrcode.QRCode(border=0)
    code.add_data(content)
    rows: Sequence[Sequence[bool]] = code.get_matrix()
    side = (len(rows) + 2 * QUIET) * MODULE
    drawing = Drawing(side, side, title, content)
    drawing.sharpen()
    drawing.rectangle((0, 0), (side, side), "white")
    dark = [(start, number, length) for number, row in enumerate(rows) for start, length in _runs(row)]
    tiles = [((QUIET + x) * MODULE, (QUIET + y) * MODULE, length * MODULE, MODULE) for x, y, length in dark]
    drawing.tiles(tiles, "black")
    return drawing.to_svg()


def _runs(row: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Yield (start, length) of dark modules that stand side by side."""
    place = 0
    for dark, modules in groupby(row):
        length = len(list(modules))
        if dark:
            yield place, length
        place += length
