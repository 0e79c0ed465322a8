"""What time does to agreements: on the first day they are in force, after the last they have expired.

The gate looks at the clock itself: nothing is let in because this has not run yet. Work that is under way when an
agreement ends needs no stopping here: its next batch is refused, and its record says why.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from pilotbase.catalogue.advancing import advance
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.permissions import Act
from pilotbase.workspace.store import View
from pilotbase.workspace.terms_rows import AgreementRow, beginning, ending

_DUE: dict[Act, Callable[[Connection, datetime], list[AgreementRow]]] = {
    Act.AGREEMENT_EXPIRE: ending,
    Act.AGREEMENT_BEGIN: beginning,
}


def move_agreements(view: View) -> None:
    """Take the steps that time asks for; one that another worker took meanwhile, or a party, is left alone."""
    for act, due in _DUE.items():
        with view.reading() as connection:
            rows = due(connection, view.store.clock())
        for row in rows:
            try:
                advance(view, row.subject, act)
            except RefusedError as error:
                if error.code not in ("record.wrong_state", "record.not_in_force"):
                    raise
