"""How long observations and labels are kept: as long as the watch says, and not a case longer than asked for.

What is forgotten are inputs, answers, identifiers and labels. That there were so many cases, when, and what detectors
said of them stays, and so does the line of the log that says what was erased.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, delete, select, update

from pilotbase.documents.permissions import WatchAct
from pilotbase.documents.subjects import service_subject
from pilotbase.documents.watch import Watch
from pilotbase.watch.labels import case_key, places_of
from pilotbase.watch.packs import Pack, without
from pilotbase.watch.subjects import own_service, watch_of
from pilotbase.workspace import watch_tables as tables
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

AT_ONCE = 200
"""Packs that are erased in one transaction: others want to write too."""
_packs, _cases, _batches, _labels, _of_labels = (
    tables.observation_packs.c,
    tables.observed_cases.c,
    tables.observed_batches.c,
    tables.labels.c,
    tables.label_batches.c,
)


def forget_old(view: View) -> int:
    """Erase what is older than the watch of its service allows, and return how many cases; the operator's."""
    with view.reading() as connection:
        services = set(connection.scalars(select(_packs.service).where(_packs.body.is_not(None)).distinct()))
        services |= set(connection.scalars(select(_of_labels.service).distinct()))
    erased = 0
    for service in sorted(services):
        days = (watch_of(view, service) or Watch(service=service)).keep_days
        erased += _forget_before(view, service, view.store.clock() - timedelta(days=days))
    return erased


def erase_case(view: View, service: str, case: str) -> None:
    """Erase one case with its labels, as the person whom it is about may ask; the operator's and the owner's.

    Raises:
        NotFoundError: the actor sees no such service, or no such case has come.
        RefusedError: it may hand in nothing for the service.
    """
    own_service(view, service, WatchAct.ERASE)
    key = case_key(service, case)
    with view.transaction("observation.erased") as change:
        if view.within(change).outcome() is not None:
            return
        place = places_of(change.connection, [key]).get(key)
        if place is None:
            raise NotFoundError("observation.no_such_case", case=case)
        number, row = place
        body = change.connection.scalar(select(_packs.body).where(_packs.number == number))
        blank = without(Pack.from_bytes(body or b""), row).to_bytes()
        change.connection.execute(update(tables.observation_packs).where(_packs.number == number).values(body=blank))
        change.connection.execute(delete(tables.observed_cases).where(_cases.key == key))
        change.connection.execute(delete(tables.labels).where(_labels.key == key))
        change.record("observation.erased", [service_subject(service)], {"cases": 1})
        change.settle(service_subject(service))


def _forget_before(view: View, service: str, oldest: datetime) -> int:
    erased = 0
    old_packs = (_packs.service == service, _packs.last_at < oldest, _packs.body.is_not(None))
    while numbers := _some(view, _packs.number, old_packs):
        with view.transaction("observation.erased") as change:
            erased += _erase_packs(change, service, numbers)
    old_labels = (_of_labels.service == service, _of_labels.taken_at < oldest)
    while numbers := _some(view, _of_labels.number, old_labels):
        with view.transaction("observation.erased") as change:
            _erase_labels(change, service, numbers)
    return erased


def _some(view: View, number: ColumnElement[int], which: Sequence[ColumnElement[bool]]) -> list[int]:
    with view.reading() as connection:
        return list(connection.scalars(select(number).where(*which).order_by(number).limit(AT_ONCE)))


def _erase_packs(change: Transaction, service: str, numbers: Sequence[int]) -> int:
    of_packs = _packs.number.in_(numbers)
    cases = int(sum(change.connection.scalars(select(_packs.cases).where(of_packs))))
    _drop_labels(change.connection, numbers)
    change.connection.execute(delete(tables.observed_cases).where(_cases.pack.in_(numbers)))
    change.connection.execute(delete(tables.observed_batches).where(_batches.pack.in_(numbers)))
    change.connection.execute(update(tables.observation_packs).where(of_packs).values(body=None))
    change.record("observation.erased", [service_subject(service)], {"cases": cases})
    return cases


def _drop_labels(connection: Connection, packs: Sequence[int]) -> None:
    of_cases = select(_cases.key).where(_cases.pack.in_(packs))
    connection.execute(delete(tables.labels).where(_labels.key.in_(of_cases)))


def _erase_labels(change: Transaction, service: str, numbers: Sequence[int]) -> None:
    """Erase batches of labels; whatever case they were about is older still, or has never come."""
    change.connection.execute(delete(tables.labels).where(_labels.batch.in_(numbers)))
    change.connection.execute(delete(tables.label_batches).where(_of_labels.number.in_(numbers)))
    change.record("observation.erased", [service_subject(service)], {"label_batches": len(numbers)})
