"""Reactions: what the base does by itself after a change. The change feed says what changed; a table says what follows.

Each kind of document has one small function in `REACTIONS`. A reader's place in the feed moves on only when everything
before it was done; what is done again after a kill changes nothing (`Reacting.once`). Time moves agreements too: the
gate reads the clock itself, so nothing is let in because that has not run yet, and work that is under way when an
agreement ends needs no stopping: its next batch is refused, and its record says why.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from pilotbase.catalogue.advancing import advance
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.moments import format_minute
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Record
from pilotbase.documents.states import ScenarioState
from pilotbase.documents.texts import text
from pilotbase.watch.incidents import PassedClock, load_incident, note_told, passed_clocks
from pilotbase.watch.standings import service_of
from pilotbase.worker.base import Base
from pilotbase.worker.public import order_kit
from pilotbase.worker.reactions.drills import react_to_drill
from pilotbase.worker.reactions.on_warning import move_off_barred, react_to_record, react_to_warning
from pilotbase.worker.reactions.steps import (
    PASSING,
    Reacting,
    about_base,
    about_incident,
)
from pilotbase.worker.rounds import Pace, in_rounds
from pilotbase.workspace.store import Change, View, move, position
from pilotbase.workspace.terms_rows import AgreementRow, beginning, ending


def on_record(reacting: Reacting, digest: Digest) -> None:
    """React to a record that moved: services leave a barred certificate, an opened scenario has its kit made."""
    react_to_record(reacting, digest)
    record = reacting.view.load(digest, Record)
    if record.kind == "scenario" and record.state == ScenarioState.OPEN:
        order_kit(reacting.view, record.subject, record.documents["scenario"])


_Reaction = Callable[[Reacting, Digest], None]
REACTIONS: Mapping[str, _Reaction] = {
    "risk-warning": react_to_warning,
    "record": on_record,
    "revocations": move_off_barred,
    "drill": react_to_drill,
}
"""Kind of document → the reaction when a name comes to refer to one."""
PACE = Pace(idle=0.5, rest=5.0, end=3.0)
_FEED, _CHANGES = "reactions", 500
_log = logging.getLogger("pilotbase.reactions")
_DUE: dict[Act, Callable[[Connection, datetime], list[AgreementRow]]] = {
    Act.AGREEMENT_EXPIRE: ending,
    Act.AGREEMENT_BEGIN: beginning,
}


@dataclass(frozen=True)
class Reactions:
    """The reader of the change feed that reacts. Several workers may each run one."""

    base: Base

    @property
    def view(self) -> View:
        return self.base.lab.view

    def round(self) -> bool:
        """React to changes, report what is overdue, move what is due; return whether the feed goes on at once."""
        more = self.follow()
        self.tell_overdue()
        move_agreements(self.view)
        return more

    def follow(self) -> bool:
        """React to the changes since the last time; return whether the feed goes on."""
        with self.view.reading() as connection:
            since = position(connection, _FEED)
        changes = self.view.changes(since or 0, _CHANGES, tuple(REACTIONS))
        reacting = Reacting(self.base)
        for change in changes:
            if change.event == "moved":
                _react(reacting, change)
        if changes:
            with self.view.store.database.write() as connection:
                move(connection, _FEED, expected=since, to=changes[-1].sequence)
        return bool(changes)

    def tell_overdue(self) -> None:
        """Make notices of reports that were not made in time, once for each."""
        with self.view.reading() as connection:
            passed = passed_clocks(connection, self.view.store.clock())
        for clock in passed:
            self._tell_passed(clock)

    def _tell_passed(self, clock: PassedClock) -> None:
        incident, _ = load_incident(self.view, clock.incident)
        service = service_of(self.view, incident.service)
        said = text("reaction.clock_passed", number=incident.number, due=format_minute(clock.due))
        with self.view.transaction("reaction.overdue") as change:
            if note_told(change.connection, clock):
                happening = f"incident {incident.number} {clock.clock} {clock.due.isoformat()}"
                Reacting(self.base).tell(change, about_incident(incident, service, said, happening))


def _react(reacting: Reacting, change: Change) -> None:
    """React to one change; a change that fails blocks no other: the operator is notified and looks at it."""
    try:
        REACTIONS[change.kind](reacting, change.digest)
    except PASSING:
        raise
    except Exception as error:  # noqa: BLE001 - any error: the others are not held up
        _log.exception("nothing was done about %s %s", change.kind, change.digest)
        said = text("reaction.gave_up", kind=change.kind, digest=change.digest[7:19], error=type(error).__name__)
        with reacting.view.transaction("reaction.gave_up") as transaction:
            reacting.tell(transaction, about_base(said, f"{change.digest} gave up"))


def move_agreements(view: View) -> None:
    """Take the steps that time requires; a step that another worker, or a party, took meanwhile is left alone."""
    for act, due in _DUE.items():
        with view.reading() as connection:
            rows = due(connection, view.store.clock())
        for row in rows:
            try:
                advance(view, row.subject, act)
            except RefusedError as error:
                if error.code not in ("record.wrong_state", "record.not_in_force"):
                    raise


def reacting_to_changes(ours: Reactions) -> AbstractContextManager[None]:
    """Run rounds in a thread until the end of the block."""
    return in_rounds("reactions", ours.round, PACE)
