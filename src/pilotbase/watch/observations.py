"""Observations and labels of a service: taken in once each, whoever brings them, and erased when their time is over.

Everything of one call of `ingest` stands in the store when it returns, or nothing does. A batch that comes again
changes nothing; one that cannot be taken is refused whole, counted, and told to who brought it.

They are kept as long as the watch says, and not a case longer than asked for. What is forgotten are inputs, answers,
identifiers and labels. That there were so many cases, when, and what detectors said of them stays, and so does the
line of the log that says what was erased.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from pilotbase.documents.errors import InputError
from pilotbase.documents.observation import LabelBatch, ObservationBatch, Taken
from pilotbase.documents.permissions import WatchAct
from pilotbase.documents.subjects import service_subject
from pilotbase.documents.watch import Watch
from pilotbase.measures import RuleContext
from pilotbase.watch.cohorts import cohort_for
from pilotbase.watch.labels import (
    Counted,
    batch_key,
    case_key,
    content_key,
    count,
    digests_of,
    places_of,
    refused_for,
    sum_of,
    take_labels,
    with_amounts,
    with_refusal,
)
from pilotbase.watch.losses import settings_of
from pilotbase.watch.packs import Pack, PackedBatch, joined, microseconds, moment_of, packed, without
from pilotbase.watch.scoring import readable_answers, unreadable
from pilotbase.watch.standings import own_service, service_of, watch_of
from pilotbase.workspace import watch_tables as tables
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

SKEW = timedelta(minutes=5)
"""How far the clock of who observes may be ahead of ours."""
PACK_CASES = 4_096
"""Small batches that come together share a pack up to so many cases; a large one has one of its own."""
_packs = tables.observation_packs.c
Batch = ObservationBatch | PackedBatch | LabelBatch
_REFUSED = (Counted.FUTURE, Counted.BATCH_DIFFERS, Counted.CASE_DIFFERS, Counted.UNREAD_LABEL)
ERASED_AT_ONCE = 200
"""Packs that are erased in one transaction: others want to write too."""
_cases, _batches, _labels, _of_labels = (
    tables.observed_cases.c,
    tables.observed_batches.c,
    tables.labels.c,
    tables.label_batches.c,
)


class _Waiting(NamedTuple):
    """Cases that are to be written, with key and digest of the batch that they came in."""

    key: bytes
    digest: bytes
    pack: Pack


def ingest(view: View, batches: Iterable[Batch]) -> Taken:
    """Take in batches of observations and labels, in one transaction; return what came of them.

    Of one service observations come first, then labels, each in the order given.

    Raises:
        NotFoundError: the actor sees no such service; nothing was taken.
        RefusedError: it may hand in nothing for it; nothing was taken.
    """
    by_service = defaultdict[str, list[Batch]](list)
    for batch in batches:
        by_service[batch.service].append(batch)
    for service in by_service:
        own_service(view, service)
    with view.transaction("observation.taken") as change:
        return sum_of(_take_all(view, change, service, own) for service, own in by_service.items())


def require_taken(taken: Taken) -> Taken:
    """Return what came of batches if none was refused; raises `InputError` with the first refusal's reason."""
    if taken.refused:
        reason = taken.refused[0].reason
        raise InputError(reason.code, (), **reason.params)
    return taken


def _take_all(view: View, change: Transaction, service: str, batches: Sequence[Batch]) -> Taken:
    watch = watch_of(view.within(change), service) or Watch(service=service)
    settings = settings_of(view.within(change), service_of(view.within(change), service))
    cases = [packed(batch) if isinstance(batch, ObservationBatch) else batch for batch in batches]
    own = [batch for batch in cases if isinstance(batch, PackedBatch)]
    observed = _Observing(change, watch, own, settings).take()
    labelled = take_labels(change, service, [batch for batch in cases if isinstance(batch, LabelBatch)], settings)
    taken = sum_of([observed, labelled])
    told = {name: value for name, value in taken if isinstance(value, int) and value}
    change.record("observation.taken", [service_subject(service)], {**told, "refused": len(taken.refused)})
    amounts = {
        Counted.REPEATED: taken.repeated,
        Counted.REPEATED_CASE: taken.repeated_cases,
        Counted.LATE_CASE: taken.late_cases,
        Counted.LATE_LABEL: taken.late_labels,
        Counted.UNKNOWN_LABEL: taken.unknown_labels,
        Counted.UNREAD_ANSWER: taken.unread_answers,
        **{what: refused_for(taken, what) for what in _REFUSED},
    }
    count(change.connection, service, amounts, change.now)
    return taken


class _Observing:
    """Takes batches of one service: sorts out what is known, then writes packs and keys."""

    def __init__(
        self, change: Transaction, watch: Watch, batches: Sequence[PackedBatch], settings: Sequence[RuleContext]
    ) -> None:
        self._change, self._watch, self._batches, self._settings = change, watch, batches, settings
        self._keys = [batch_key(watch.service, "observations", batch.batch) for batch in batches]
        self._cases = [[case_key(watch.service, case) for case in batch.pack.ids] for batch in batches]
        self._known = digests_of(change.connection, tables.observed_batches, self._keys)
        self._places = places_of(change.connection, [case for cases in self._cases for case in cases])
        self._new: dict[bytes, tuple[Pack, int]] = {}
        self._stored: dict[int, Pack] = {}
        self._waiting = defaultdict[tuple[int | None, bool, tuple[str, ...]], list[_Waiting]](list)
        self._written: dict[bytes, tuple[bytes, int | None]] = {}
        self._cohorts: dict[int, int | None] = {}
        self._taken = Taken()

    def take(self) -> Taken:
        for batch, key, cases in zip(self._batches, self._keys, self._cases, strict=True):
            self._add(batch, key, cases)
        for (cohort, _, _), group in self._waiting.items():
            for together in _bundled(group):
                number = self._write_pack(cohort, joined([one.pack for one in together]))
                self._written |= {one.key: (one.digest, number) for one in together}
        self._write_batches()
        return self._taken

    def _add(self, batch: PackedBatch, key: bytes, cases: Sequence[bytes]) -> None:
        pack, digest = batch.pack, content_key(batch.pack.spelled())
        if key in self._known:
            self._note_known(batch, same=self._known[key] == digest)
            return
        latest = max(pack.at)
        if latest > microseconds(self._change.now + SKEW):
            case = pack.ids[pack.at.index(latest)]
            self._refuse(batch, Counted.FUTURE, case=case, at=f"{moment_of(latest):%Y-%m-%d %H:%M:%S}Z")
            return
        before = {
            row: self._row_of(case) for row, case in enumerate(cases) if case in self._places or case in self._new
        }
        differing = next((row for row, known in before.items() if known != pack.row(row)), None)
        if differing is not None:
            self._refuse(batch, Counted.CASE_DIFFERS, case=pack.ids[differing])
            return
        self._known[key] = digest
        self._accept((key, digest), pack, [row for row in range(len(pack)) if row not in before], cases)

    def _accept(self, keys: tuple[bytes, bytes], pack: Pack, rows: Sequence[int], cases: Sequence[bytes]) -> None:
        self._new.update((cases[row], (pack, row)) for row in rows)
        by_cohort = defaultdict[int | None, list[int]](list)
        for row in rows:
            by_cohort[self._cohort_at(pack.at[row])].append(row)
        columns = (bool(pack.answers), tuple(sorted(pack.inputs)))
        for cohort, own in by_cohort.items():
            part = pack if len(own) == len(pack) else pack.among(own)
            self._waiting[cohort, *columns].append(_Waiting(*keys, part))
        if not rows:
            self._written[keys[0]] = (keys[1], None)
        amounts = {"cases": len(rows), "repeated_cases": len(pack) - len(rows), "late_cases": len(by_cohort[None])}
        if pack.answers and self._settings:
            unread = unreadable([pack.answers[row] for row in rows], self._settings, readable_answers)
            amounts["unread_answers"] = len(unread)
        self._taken = with_amounts(self._taken, {"batches": 1, **amounts})

    def _cohort_at(self, at: int) -> int | None:
        span = at // (self._watch.cohort_seconds * 1_000_000)
        if span not in self._cohorts:
            self._cohorts[span] = cohort_for(self._change.connection, self._watch, moment_of(at), self._change.now)
        return self._cohorts[span]

    def _note_known(self, batch: PackedBatch, same: bool) -> None:
        if same:
            self._taken = with_amounts(self._taken, {"repeated": 1})
        else:
            self._refuse(batch, Counted.BATCH_DIFFERS)

    def _row_of(self, case: bytes) -> tuple[object, ...]:
        """Return what is known of a case: what came in this call, or what is stored."""
        if case in self._new:
            pack, row = self._new[case]
            return pack.row(row)
        number, row = self._places[case]
        if number not in self._stored:
            body = self._change.connection.scalar(select(_packs.body).where(_packs.number == number))
            self._stored[number] = Pack.from_bytes(body or b"")
        return self._stored[number].row(row)

    def _write_pack(self, cohort: int | None, pack: Pack) -> int:
        values = {
            "service": self._watch.service,
            "cohort": cohort,
            "cases": len(pack),
            "first_at": moment_of(min(pack.at)),
            "last_at": moment_of(max(pack.at)),
            "taken_at": self._change.now,
            "body": pack.to_bytes(),
        }
        key = self._change.connection.execute(insert(tables.observation_packs).values(values)).inserted_primary_key
        assert key is not None
        keys = (case_key(self._watch.service, case) for case in pack.ids)
        places = [{"key": case, "pack": key[0], "row": row} for row, case in enumerate(keys)]
        self._change.connection.execute(insert(tables.observed_cases), places)
        return int(key[0])

    def _write_batches(self) -> None:
        rows = [{"key": key, "digest": digest, "pack": pack} for key, (digest, pack) in self._written.items()]
        if rows:
            self._change.connection.execute(insert(tables.observed_batches), rows)

    def _refuse(self, batch: PackedBatch, what: Counted, **params: object) -> None:
        self._taken = with_refusal(self._taken, batch.batch, what, **params)


def _bundled(group: Sequence[_Waiting]) -> Iterable[list[_Waiting]]:
    """Yield the batches of one cohort and the same columns in bundles of about `PACK_CASES` cases."""
    bundle: list[_Waiting] = []
    size = 0
    for one in group:
        if bundle and size + len(one.pack) > PACK_CASES:
            yield bundle
            bundle, size = [], 0
        bundle.append(one)
        size += len(one.pack)
    if bundle:
        yield bundle


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
        change.connection.execute(delete(tables.audit_cases).where(tables.audit_cases.c.key == key))
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
        return list(connection.scalars(select(number).where(*which).order_by(number).limit(ERASED_AT_ONCE)))


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
    for of_case in (tables.labels, tables.audit_cases):
        connection.execute(delete(of_case).where(of_case.c.key.in_(of_cases)))


def _erase_labels(change: Transaction, service: str, numbers: Sequence[int]) -> None:
    """Erase batches of labels; whatever case they were about is older still, or has never come."""
    change.connection.execute(delete(tables.labels).where(_labels.batch.in_(numbers)))
    change.connection.execute(delete(tables.label_batches).where(_of_labels.number.in_(numbers)))
    change.record("observation.erased", [service_subject(service)], {"label_batches": len(numbers)})
