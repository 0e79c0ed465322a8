"""The first rows of a table, cut and made visible for a preview; they allow no conclusion about the rest."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pydantic

from pilotbase.data.sources.kinds import kind_of
from pilotbase.data.sources.opening import ENDINGS, open_source
from pilotbase.documents.api.datasets import PreviewRows
from pilotbase.documents.texts import make_visible

MOST_ROWS = 20
MOST_COLUMNS = 50
MOST_CHARACTERS = 100
"""Characters of a cell that are shown."""


class FirstRows(pydantic.BaseModel):
    """The first rows of the first table of a file, and how many it has."""

    rows: int = pydantic.Field(ge=0, lt=1 << 40)
    shown: PreviewRows

    @pydantic.field_validator("shown")
    @classmethod
    def _within_bounds(cls, shown: PreviewRows) -> PreviewRows:
        cells = [shown.columns, *shown.cells]
        if len(cells) > MOST_ROWS + 1 or any(len(row) > MOST_COLUMNS for row in cells):
            raise ValueError("more rows or columns than are shown")
        return shown


def is_table(name: str) -> bool:
    """Return whether a file is a table of a kind read here, by its name alone."""
    path = Path(name)
    inner = path.with_suffix("") if path.suffix.lower() in ENDINGS else path
    return inner.suffix != "" and kind_of(str(inner)) is not None


def is_archive(name: str) -> bool:
    """Return whether a file is an archive, which is never unpacked here, by its name alone."""
    return Path(name).suffix.lower() in ENDINGS and not is_table(name)


def first_rows(path: Path) -> FirstRows | None:
    """Return the first rows of the first table in ``path``, or None if it is no table of a kind read here.

    For a folder of images, the table is what is known of each image.

    Raises:
        InputError: it is such a table and cannot be read; lists every problem with its place.
    """
    if not is_table(path.name) and not path.is_dir():
        return None
    with tempfile.TemporaryDirectory() as scratch:
        table = open_source(str(path), Path(scratch)).tables[0]
        names = table.columns
        shown = table.frame.select(names[:MOST_COLUMNS]).head(MOST_ROWS).collect()
        return FirstRows(
            rows=table.rows,
            shown=PreviewRows(
                columns=[_visible(name) for name in shown.columns],
                columns_in_all=len(names),
                cells=[[_visible(cell) for cell in row] for row in shown.iter_rows()],
            ),
        )


def _visible(cell: object) -> str:
    """Return a cell with hidden characters made visible, cut to fit."""
    spelled = "" if cell is None else make_visible(str(cell)[: MOST_CHARACTERS + 1])
    return spelled if len(spelled) <= MOST_CHARACTERS else f"{spelled[:MOST_CHARACTERS]}…"
