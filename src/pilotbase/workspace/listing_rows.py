"""The rows of listings with their scope and their words in the text index: all written here, so that they agree.

A listing has the scope of the document that it shows. Who sees a listing is therefore decided by its own row, and by
the document's parties if it is for parties only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from pilotbase.workspace import tables, text_index
from pilotbase.workspace.text_index import Indexed

_rows, _documents = tables.listings.c, tables.documents.c
_KNOWN = select(_rows.subject, _rows.sequence, _rows.kind, _rows.scope, _rows.words)


def put_row(connection: Connection, subject: str, values: Mapping[str, Any]) -> None:
    """Set the row of ``subject`` to ``values``, replacing the earlier one; a new row comes last of all."""
    shown = (_documents.digest == values["digest"], _documents.owner == values["owner"])
    scope = connection.execute(select(_documents.scope).where(*shown)).scalar_one()
    after = Indexed(values["kind"], scope, values["words"])
    known = connection.execute(_KNOWN.where(_rows.subject == subject)).one_or_none()
    if known is None:
        sequence = _next_sequence(connection)
        row = {**values, "subject": subject, "scope": scope, "sequence": sequence}
        connection.execute(insert(tables.listings), row)
        text_index.put(connection, sequence, None, after)
    else:
        connection.execute(update(tables.listings).where(_rows.subject == subject).values(**values, scope=scope))
        text_index.put(connection, known.sequence, _indexed(known), after)


def _next_sequence(connection: Connection) -> int:
    """Return a number after all others: the newest change's, or a later one if several listings begin at once."""
    changed = connection.scalar(select(func.max(tables.changes.c.sequence))) or 0
    listed = connection.scalar(select(func.max(_rows.sequence))) or 0
    return max(int(changed), int(listed) + 1)


def change_scope(connection: Connection, digest: str, owner: str, scope: str) -> None:
    """Give the listings that show a document its new scope."""
    for known in connection.execute(_KNOWN.where(_rows.digest == digest, _rows.owner == owner)).all():
        connection.execute(update(tables.listings).where(_rows.subject == known.subject).values(scope=scope))
        text_index.put(connection, known.sequence, _indexed(known), _indexed(known)._replace(scope=scope))


def _indexed(row: Any) -> Indexed:
    return Indexed(row.kind, row.scope, row.words)
