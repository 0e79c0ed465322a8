"""What the words of listings mean to a model: rows that a reader of the change feed writes and matching reads.

They reveal what a text is about: who asks for the nearest gets only listings that it sees.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Row, String, cast, delete, func, insert, select

from pilotbase.workspace import tables
from pilotbase.workspace.listings import Query, seen_rows
from pilotbase.workspace.store import View, move

_rows = tables.meanings.c


@dataclass(frozen=True)
class Meaning:
    """One text of a listing, and what it means."""

    subject: str
    language: str
    text: str
    """Digest of the text."""
    vector: bytes


def known_texts(connection: Connection, subjects: Sequence[str], model: str) -> dict[tuple[str, str], str]:
    """Return (subject, language) → digest of the text that ``model`` has read."""
    own = select(_rows.subject, _rows.language, _rows.text).where(_rows.subject.in_(subjects), _rows.model == model)
    return {(row.subject, row.language): row.text for row in connection.execute(own)}


def keep(view: View, reader: str, model: str, expected: int | None, to: int, found: Iterable[Meaning]) -> bool:
    """Keep ``found`` and move the reader on, in one transaction; False if another reader was faster.

    A reader that begins has a new model: rows of others go.
    """
    with view.store.database.write() as connection:
        if not move(connection, reader, expected=expected, to=to):
            return False
        if expected is None:
            connection.execute(delete(tables.meanings).where(_rows.model != model))
        for one in found:
            same = (_rows.subject == one.subject, _rows.language == one.language)
            connection.execute(delete(tables.meanings).where(*same))
            connection.execute(insert(tables.meanings), {**one.__dict__, "model": model, "place": to})
    return True


def newest(connection: Connection) -> tuple[str, int] | None:
    """Return model and place of the newest row; None: there is none."""
    row = connection.execute(select(_rows.model, _rows.place).order_by(_rows.place.desc()).limit(1)).first()
    return None if row is None else (row.model, row.place)


def after(connection: Connection, place: int, model: str) -> Iterable[Row[Any]]:
    """Return the rows of ``model`` after ``place``, in order, with ``sequence`` and ``kind`` of their listing."""
    listed = tables.listings.c
    rows = select(tables.meanings, listed.sequence, listed.kind).join(tables.listings, listed.subject == _rows.subject)
    return connection.execute(rows.where(_rows.place > place, _rows.model == model).order_by(_rows.place))


def seen_sequences(connection: Connection, view: View, query: Query) -> npt.NDArray[np.int64]:
    """Return the ``sequence`` of every listing that ``view`` sees and ``query`` finds.

    The database joins them into one string: that is faster than reading a hundred thousand rows.
    """
    joined = select(func.aggregate_strings(cast(tables.listings.c.sequence, String), ","))
    asked = seen_rows(connection, joined.select_from(tables.listings), view, query)
    strings = [found for rows in asked if (found := connection.scalar(rows))]
    return np.fromstring(",".join(strings), np.int64, sep=",") if strings else np.zeros(0, np.int64)
