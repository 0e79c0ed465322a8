"""CSV that a spreadsheet opens as it is meant: UTF-8 with its mark, and no cell that it would take for a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection)."""
_NUMBER = re.compile(r"-\d+(\.\d+)?([eE][-+]?\d+)?")
"""A number below zero computes nothing, and is still a number when it is read back."""


def format_csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a table as CSV; an apostrophe stands before whatever would be computed."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow([_safe(cell) for cell in header])
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + written.getvalue().encode()


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell) else cell


def read_cell(cell: str) -> str:
    """Return a cell as it was before `format_csv` wrote it."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell
