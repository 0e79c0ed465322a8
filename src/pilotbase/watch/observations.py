"""Taking in: observations and labels of a service, once each, whoever brings them and however often.

Everything of one call of `take` stands in the store when it returns, or nothing does. A batch that comes again changes
nothing; one that cannot be taken is refused whole, counted, and told to who brought it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta

from sqlalchemy import Connection, Table, insert, select

from pilotbase.documents.errors import InputError
from pilotbase.documents.observation import LabelBatch, ObservationBatch, Refusal, Taken
from pilotbase.documents.texts import text
from pilotbase.documents.watch import Watch
from pilotbase.watch.cohorts import closed_among, cohort_for
from pilotbase.watch.counting import Counted, count
from pilotbase.watch.keys import batch_key, case_key, content_key
from pilotbase.watch.packs import Pack, joined, pack_of
from pilotbase.watch.subjects import own_service, watch_of
from pilotbase.workspace import watch_tables as tables
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

SKEW = timedelta(minutes=5)
"""How far the clock of who observes may be ahead of ours."""
PACK_CASES = 4_096
"""Small batches that come together share a pack up to so many cases; a large one has one of its own."""
_AT_ONCE = 5_000
_packs, _cases = tables.observation_packs.c, tables.observed_cases.c
Batch = ObservationBatch | LabelBatch


def take(view: View, batches: Iterable[Batch]) -> Taken:
    """Take in batches of observations and labels, in their order, in one transaction; return what came of them.

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
        found = [_take_all(view.within(change), change, service, own) for service, own in by_service.items()]
    return _sum(found)


def require_taken(taken: Taken) -> Taken:
    """Return what came of batches if none was refused; raises `InputError` with the first refusal's reason."""
    if taken.refused:
        reason = taken.refused[0].reason
        raise InputError(reason.code, (), **reason.params)
    return taken


def _take_all(view: View, change: Transaction, service: str, batches: Sequence[Batch]) -> Taken:
    watch = watch_of(view, service) or Watch(service=service)
    observed = _Observing(change, watch, [batch for batch in batches if isinstance(batch, ObservationBatch)]).take()
    labelled = _Labelling(change, service, [batch for batch in batches if isinstance(batch, LabelBatch)]).take()
    taken = _sum([observed, labelled])
    told = {name: value for name, value in taken.to_json_value().items() if isinstance(value, int) and value}
    change.record("observation.taken", [f"service:{service}"], {**told, "refused": len(taken.refused)})
    amounts = {
        Counted.REPEATED: taken.repeated,
        Counted.REPEATED_CASE: taken.repeated_cases,
        Counted.LATE_CASE: taken.late_cases,
        Counted.LATE_LABEL: taken.late_labels,
        Counted.UNKNOWN_LABEL: taken.unknown_labels,
        **{what: _refused(taken, what) for what in (Counted.FUTURE, Counted.BATCH_DIFFERS, Counted.CASE_DIFFERS)},
    }
    count(change.connection, service, amounts, change.now)
    return taken


class _Observing:
    """Takes batches of observations of one service: sorts out what is known, then writes packs and keys."""

    def __init__(self, change: Transaction, watch: Watch, batches: Sequence[ObservationBatch]) -> None:
        self._change, self._watch, self._batches = change, watch, batches
        self._keys = [batch_key(watch.service, "observations", batch.batch) for batch in batches]
        self._known = _digests(change.connection, tables.observed_batches, self._keys)
        cases = [case_key(watch.service, case) for batch in batches for case in batch.ids]
        self._places = _places(change.connection, cases)
        self._new: dict[bytes, tuple[Pack, int]] = {}
        self._stored: dict[int, Pack] = {}
        self._waiting = defaultdict[tuple[int | None, bool, tuple[str, ...]], list[tuple[bytes, bytes, Pack]]](list)
        self._cohorts: dict[object, int | None] = {}
        self._taken = Taken()

    def take(self) -> Taken:
        for batch, key in zip(self._batches, self._keys, strict=True):
            self._add(batch, key)
        for (cohort, _, _), group in self._waiting.items():
            for together in _bundled(group):
                self._write(cohort, together)
        return self._taken

    def _add(self, batch: ObservationBatch, key: bytes) -> None:
        digest = content_key(batch.canonical())
        if key in self._known:
            self._note_known(batch, same=self._known[key] == digest)
        elif batch.at > self._change.now + SKEW:
            self._refuse(batch, Counted.FUTURE, at=f"{batch.at:%Y-%m-%d %H:%M:%S}Z")
        else:
            whole = pack_of(batch)
            cases = [case_key(batch.service, case) for case in batch.ids]
            before = {row: self._row_of(case) for row, case in enumerate(cases) if self._is_known(case)}
            differing = next((row for row, known in before.items() if known != whole.row(row)), None)
            if differing is not None:
                self._refuse(batch, Counted.CASE_DIFFERS, case=batch.ids[differing])
                return
            rows = [row for row in range(len(cases)) if row not in before]
            self._known[key] = digest
            self._accept(batch, (key, digest), pack_of(batch, rows), [cases[row] for row in rows])

    def _accept(self, batch: ObservationBatch, keys: tuple[bytes, bytes], pack: Pack, cases: list[bytes]) -> None:
        cohort = self._cohort_of(batch)
        self._new.update((case, (pack, row)) for row, case in enumerate(cases))
        self._waiting[cohort, bool(batch.answers), tuple(sorted(batch.inputs))].append((*keys, pack))
        self._count(
            batches=1,
            cases=len(pack),
            repeated_cases=len(batch.ids) - len(pack),
            late_cases=len(pack) if cohort is None else 0,
        )

    def _cohort_of(self, batch: ObservationBatch) -> int | None:
        if batch.at not in self._cohorts:
            self._cohorts[batch.at] = cohort_for(self._change.connection, self._watch, batch.at, self._change.now)
        return self._cohorts[batch.at]

    def _note_known(self, batch: ObservationBatch, same: bool) -> None:
        if same:
            self._count(repeated=1)
        else:
            self._refuse(batch, Counted.BATCH_DIFFERS)

    def _is_known(self, case: bytes) -> bool:
        return case in self._places or case in self._new

    def _row_of(self, case: bytes) -> tuple[object, ...]:
        """Return what is known of a case: what came in this call, or what is stored; nothing of one that was erased."""
        if case in self._new:
            pack, row = self._new[case]
            return pack.row(row)
        number, row = self._places[case]
        if number not in self._stored:
            body = self._change.connection.scalar(select(_packs.body).where(_packs.number == number))
            self._stored[number] = Pack.from_bytes(body or b"")
        return self._stored[number].row(row)

    def _write(self, cohort: int | None, together: Sequence[tuple[bytes, bytes, Pack]]) -> None:
        """Write batches as one pack, with the keys of its batches and cases."""
        pack = joined([pack for _, _, pack in together])
        number = self._write_pack(cohort, pack) if len(pack) else None
        known = [{"key": key, "digest": digest, "pack": number} for key, digest, _ in together]
        self._change.connection.execute(insert(tables.observed_batches), known)
        if number is not None:
            keys = (case_key(self._watch.service, case) for case in pack.ids)
            places = [{"key": key, "pack": number, "row": row} for row, key in enumerate(keys)]
            self._change.connection.execute(insert(tables.observed_cases), places)

    def _write_pack(self, cohort: int | None, pack: Pack) -> int:
        values = {
            "service": self._watch.service,
            "cohort": cohort,
            "cases": len(pack),
            "first_at": pack.moment(pack.at.index(min(pack.at))),
            "last_at": pack.moment(pack.at.index(max(pack.at))),
            "taken_at": self._change.now,
            "body": pack.to_bytes(),
        }
        key = self._change.connection.execute(insert(tables.observation_packs).values(values)).inserted_primary_key
        assert key is not None
        return int(key[0])

    def _refuse(self, batch: ObservationBatch, what: Counted, **params: object) -> None:
        self._taken = _with_refusal(self._taken, batch, what, **params)

    def _count(self, **amounts: int) -> None:
        self._taken = _with_amounts(self._taken, amounts)


class _Labelling:
    """Takes batches of labels of one service, whether their cases have come or not."""

    def __init__(self, change: Transaction, service: str, batches: Sequence[LabelBatch]) -> None:
        self._change, self._service, self._batches = change, service, batches
        self._keys = [batch_key(service, "labels", batch.batch) for batch in batches]
        self._known = _digests(change.connection, tables.label_batches, self._keys)
        self._taken = Taken()

    def take(self) -> Taken:
        for batch, key in zip(self._batches, self._keys, strict=True):
            digest = content_key(batch.canonical())
            if key not in self._known:
                self._known[key] = digest
                self._write(batch, key, digest)
            elif self._known[key] == digest:
                self._taken = _with_amounts(self._taken, {"repeated": 1})
            else:
                self._taken = _with_refusal(self._taken, batch, Counted.BATCH_DIFFERS)
        return self._taken

    def _write(self, batch: LabelBatch, key: bytes, digest: bytes) -> None:
        connection = self._change.connection
        labels = {case_key(self._service, case): json.dumps(value) for case, value in batch.labels.items()}
        known = _places(connection, list(labels))
        late = closed_among(connection, list(known))
        values = {
            "service": self._service,
            "key": key,
            "digest": digest,
            "cases": len(labels),
            "unknown": len(labels) - len(known),
            "taken_at": self._change.now,
        }
        made = connection.execute(insert(tables.label_batches).values(values)).inserted_primary_key
        assert made is not None
        rows = [{"key": case, "batch": made[0], "value": value} for case, value in labels.items()]
        connection.execute(insert(tables.labels), rows)
        amounts = {"labels": len(labels), "late_labels": late, "unknown_labels": len(labels) - len(known)}
        self._taken = _with_amounts(self._taken, {"batches": 1, **amounts})


def _bundled(group: Sequence[tuple[bytes, bytes, Pack]]) -> Iterable[list[tuple[bytes, bytes, Pack]]]:
    """Yield the batches of one cohort and the same columns in bundles of about `PACK_CASES` cases."""
    bundle: list[tuple[bytes, bytes, Pack]] = []
    size = 0
    for one in group:
        if bundle and size + len(one[2]) > PACK_CASES:
            yield bundle
            bundle, size = [], 0
        bundle.append(one)
        size += len(one[2])
    if bundle:
        yield bundle


def _digests(connection: Connection, table: Table, keys: list[bytes]) -> dict[bytes, bytes]:
    """Return key → digest of the batches that are known."""
    found: dict[bytes, bytes] = {}
    for start in range(0, len(keys), _AT_ONCE):
        rows = select(table.c.key, table.c.digest).where(table.c.key.in_(keys[start : start + _AT_ONCE]))
        found |= {bytes(key): bytes(digest) for key, digest in connection.execute(rows)}
    return found


def _places(connection: Connection, keys: list[bytes]) -> dict[bytes, tuple[int, int]]:
    """Return key → pack and row of the cases that are known."""
    found: dict[bytes, tuple[int, int]] = {}
    for start in range(0, len(keys), _AT_ONCE):
        rows = select(_cases.key, _cases.pack, _cases.row).where(_cases.key.in_(keys[start : start + _AT_ONCE]))
        found |= {bytes(key): (pack, row) for key, pack, row in connection.execute(rows)}
    return found


def _with_refusal(taken: Taken, batch: Batch, what: Counted, **params: object) -> Taken:
    refusal = Refusal(batch=batch.batch, reason=text(f"observation.{what}", batch=batch.batch, **params))
    return taken.model_copy(update={"refused": (*taken.refused, refusal)})


def _with_amounts(taken: Taken, amounts: dict[str, int]) -> Taken:
    return taken.model_copy(update={name: getattr(taken, name) + amount for name, amount in amounts.items()})


def _refused(taken: Taken, what: Counted) -> int:
    return sum(refusal.reason.code == f"observation.{what}" for refusal in taken.refused)


def _sum(found: Sequence[Taken]) -> Taken:
    total = Taken()
    for one in found:
        amounts = {name: value for name, value in one if isinstance(value, int)}
        total = _with_amounts(total, amounts).model_copy(update={"refused": (*total.refused, *one.refused)})
    return total
