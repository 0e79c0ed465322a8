"""Audits: a random part of each cohort must be labelled, and red reads nothing else.

Labels that come by themselves are chosen by somebody: by who complains, or by what is easy to check. So the base draws,
once the span of a cohort is over and its cases have come (`SETTLING`), every case with the same known chance; a case
that comes later belongs to no cohort. The mean of the drawn cases is then the inverse-probability estimate of the
cohort's mean. Where answers are probabilities, and every case counts, the draw is spread evenly over the loss that they
predict: that takes fewer labels the better they predict, and no more where they mislead. A drawn case whose label never
comes counts as correct; how many do is a signal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from secrets import randbits

import numpy as np
from sqlalchemy import Connection, insert, select, update

from pilotbase.documents.api.watch import AuditCase, AuditWork
from pilotbase.documents.subjects import service_subject
from pilotbase.documents.watch import Watch
from pilotbase.evidence.prediction_powered import spread_sample
from pilotbase.evidence.primitive import Floats
from pilotbase.watch.cohorts import EVERY_LABEL, Cohort, undrawn, waiting_cohorts
from pilotbase.watch.labels import LabelledPack, cases_of, labels_of, places_of
from pilotbase.watch.losses import Promised, WatchedLoss, columns_read, settings_of
from pilotbase.watch.packs import Pack, moment_of
from pilotbase.watch.scoring import cases_of_answers, rows_for_risk
from pilotbase.watch.standings import own_service
from pilotbase.workspace import watch_tables as tables
from pilotbase.workspace.store import View

SHOWN = 100
"""So many cases are shown at once."""
_audit, _cohorts = tables.audit_cases.c, tables.watch_cohorts.c
_packs = tables.observation_packs.c


def draw_audit(view: View, watch: Watch, promised: Promised, losses: Sequence[WatchedLoss]) -> bool:
    """Draw the audit of the next cohort that has none, and return True; False where none is due."""
    assert watch.audit_labels is not None
    assert watch.armed_at is not None
    with view.reading() as connection:
        cohort = undrawn(connection, watch, view.store.clock())
        if cohort is None:
            return False
        packs = list(cases_of(connection, replace(cohort, labels_to=0)))
    chosen = drawn(packs, watch.audit_labels, promised, losses, np.random.default_rng(randbits(128)))
    with view.transaction("watch.audit_drawn") as change:
        here = (_cohorts.number == cohort.number, _cohorts.audited.is_(None))
        first = update(tables.watch_cohorts).where(*here).values(audited=len(chosen))
        if change.connection.execute(first).rowcount == 1:
            rows = [{"cohort": cohort.number, "key": key} for key in sorted(chosen)]
            if rows:
                change.connection.execute(insert(tables.audit_cases), rows)
            facts = {"cohort": cohort.number, "drawn": len(chosen)}
            change.record("watch.audit_drawn", [service_subject(watch.service)], facts)
    return True


def drawn(
    packs: Iterable[LabelledPack],
    wanted: int,
    promised: Promised,
    losses: Sequence[WatchedLoss],
    random: np.random.Generator,
) -> frozenset[bytes]:
    """Return the keys of ``wanted`` cases of those that say something about the risk, or of all where there are fewer.

    Every one has the same chance, whatever it was asked or answered.
    """
    keys: list[bytes] = []
    predicted: list[float] = []
    for one in packs:
        rows = rows_for_risk(one.pack, promised.version)
        if rows:
            keys += [one.keys[row] for row in rows]
            predicted += _predicted(one.pack.among(rows), promised, losses).tolist()
    if len(keys) <= wanted:
        return frozenset(keys)
    return frozenset(keys[row] for row in spread_sample(np.array(predicted), wanted, random))


def _predicted(pack: Pack, promised: Promised, losses: Sequence[WatchedLoss]) -> Floats:
    """Return the loss of each case by the probabilities that it was answered with, averaged over criteria.

    0 where a criterion looks at part of the cases only: of those an even spread would not be an even chance.
    """
    each = list(_by_criterion(pack, promised, losses))
    known = [one for one in each if one is not None]
    return np.mean(known, axis=0) if known and len(known) == len(each) else np.zeros(len(pack))


def predicted_means(
    packs: Iterable[LabelledPack], promised: Promised, losses: Sequence[WatchedLoss]
) -> list[float | None]:
    """Return the mean loss of each criterion by the probabilities that cases were answered with; None: not stated.

    It takes no label and promises nothing: an application that is surely wrong predicts that it is right.
    """
    found: list[list[Floats | None]] = [[] for _ in losses]
    for one in packs:
        rows = rows_for_risk(one.pack, promised.version)
        if rows:
            for of, each in zip(found, _by_criterion(one.pack.among(rows), promised, losses), strict=True):
                of.append(each)
    stated = [[one for one in of if one is not None] for of in found]
    return [float(np.concatenate(of).mean()) if of else None for of in stated]


def _by_criterion(pack: Pack, promised: Promised, losses: Sequence[WatchedLoss]) -> Iterator[Floats | None]:
    by, given = columns_read(losses)
    cases, _ = cases_of_answers(pack, [None] * len(pack), promised.setting, by, given)
    yield from (loss.predicted(cases) for loss in losses)


def among_audited(packs: Iterable[LabelledPack], keys: frozenset[bytes]) -> Iterator[LabelledPack]:
    """Yield of each pack the cases that were drawn."""
    for one in packs:
        rows = [row for row, key in enumerate(one.keys) if key in keys]
        if rows:
            yield one.among(rows)


def audit_of(connection: Connection, cohort: Cohort) -> frozenset[bytes]:
    """Return the keys of the cases that were drawn of a cohort."""
    return frozenset(map(bytes, connection.scalars(select(_audit.key).where(_audit.cohort == cohort.number))))


def work_list(view: View, service: str) -> AuditWork:
    """Return what is to be labelled of a service, the most urgent first: what was asked, and never what was answered.

    Raises:
        NotFoundError: the actor sees no such service.
        RefusedError: it may hand in no labels for it.
    """
    found = own_service(view, service)
    settings = settings_of(view, found)
    with view.reading() as connection:
        cohorts = waiting_cohorts(connection, service)
        drawn_of = {cohort.number: audit_of(connection, cohort) for cohort in cohorts}
        labels = labels_of(connection, sorted(key for keys in drawn_of.values() for key in keys), EVERY_LABEL)
        waiting = [
            (cohort, key) for cohort in cohorts for key in sorted(drawn_of[cohort.number]) if labels.get(key) is None
        ]
        items = tuple(_told(connection, waiting[:SHOWN]))
    return AuditWork(
        service=service,
        drawn=sum(map(len, drawn_of.values())),
        waiting=len(waiting),
        labels=tuple(sorted({name for setting in settings for name in setting.classes})),
        items=items,
    )


def _told(connection: Connection, waiting: Sequence[tuple[Cohort, bytes]]) -> Iterator[AuditCase]:
    places = places_of(connection, [key for _, key in waiting])
    numbers = sorted({number for number, _ in places.values()})
    rows = select(_packs.number, _packs.body).where(_packs.number.in_(numbers), _packs.body.is_not(None))
    packs = {row.number: Pack.from_bytes(row.body) for row in connection.execute(rows)}
    for cohort, key in waiting:
        number, row = places.get(key, (0, 0))
        if number in packs:
            pack = packs[number]
            asked = {name: column[row] for name, column in pack.inputs.items()}
            at = moment_of(pack.at[row])
            yield AuditCase(case=pack.ids[row], at=at, inputs=asked, closes_at=cohort.closes_at)
