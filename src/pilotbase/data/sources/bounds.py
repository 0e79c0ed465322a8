"""How much of a source is read at most: past these it is refused, or has never been a table."""

from __future__ import annotations

MOST_BYTES = 512 << 20
"""Of a file whose table is held in memory, and of a workbook once unpacked."""
MOST_CELLS = 200_000_000
"""Of a table that is held in memory."""
MOST_COLUMNS = 10_000
"""Columns of a table, as `pilotbase.documents.dataset.RecordSet` holds them."""
LONGEST_NAME = 200
LONGEST_CELL = 8 << 20
"""Characters of one cell, such as the context of a question: more is nearly always a quote that was never closed."""
