"""A QR code as SVG, for paper: a telephone reads it and opens the address (ISO/IEC 18004)."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import qrcode  # type: ignore[import-untyped]

from pilotbase.charts.drawing import Drawing

MODULE, QUIET = 4, 4
"""Units a module is wide, and modules of the quiet zone that readers need."""


def qr_code(content: str, title: str) -> str:
    """Return ``content`` (an address of at most some hundred letters) as a QR code, with error correction level M."""
    code = qrcode.QRCode(border=0)
    code.add_data(content)
    rows: Sequence[Sequence[bool]] = code.get_matrix()
    side = (len(rows) + 2 * QUIET) * MODULE
    drawing = Drawing(side, side, title, content)
    drawing.sharpen()
    drawing.rectangle((0, 0), (side, side), "white")
    for number, row in enumerate(rows):
        for start, length in _runs(row):
            corner = ((QUIET + start) * MODULE, (QUIET + number) * MODULE)
            drawing.rectangle(corner, (length * MODULE, MODULE), "black")
    return drawing.to_svg()


def _runs(row: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Yield (start, length) of dark modules that stand side by side."""
    place = 0
    for dark, modules in groupby(row):
        length = len(list(modules))
        if dark:
            yield place, length
        place += length
