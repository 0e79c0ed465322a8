"""Limits of a source: anything larger is refused, or is not a table."""

from __future__ import annotations

MOST_BYTES = 512 << 20
"""Bytes of a file whose table is held in memory, and of an unpacked workbook."""
MOST_CELLS = 200_000_000
"""Cells of a table in memory."""
MOST_COLUMNS = 10_000
"""Columns of a table, as `pilotbase.documents.dataset.RecordSet` holds them."""
LONGEST_NAME = 200
LONGEST_CELL = 8 << 20
"""Characters of one cell, such as the context of a question; more is nearly always an unclosed quote."""
