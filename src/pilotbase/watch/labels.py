"""Labels: what turned out to be true of cases, kept with every correction, whether the case has come or not.

Of several labels of a case the newest counts until its cohort closes. What comes later is kept and counted as late: it
changes no evidence. ``null`` takes a label back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, Table, func, insert, select, update

from pilotbase.documents.observation import LabelBatch, Refusal, Scalar, Taken
from pilotbase.documents.texts import text
from pilotbase.measures import RuleContext
from pilotbase.watch.cohorts import Cohort, CohortState
from pilotbase.watch.packs import Pack
from pilotbase.watch.scoring import readable_labels, unreadable
from pilotbase.workspace import watch_tables as tables
from pilotbase.workspace.transaction import Transaction

_rows = tables.watch_counts.c


class Counted(StrEnum):
    """What is counted; names: text ``counted.<value>``."""

    FUTURE = "future"
    """Batches said to be observed later than now."""
    BATCH_DIFFERS = "batch_differs"
    CASE_DIFFERS = "case_differs"
    UNREAD_LABEL = "unread_label"
    """Batches of labels of which one is no class (no number) of the service's contract."""
    UNREAD_ANSWER = "unread_answer"
    """Answers that are no class (no number) of the service's contract: they count as abstentions."""
    REPEATED = "repeated"
    REPEATED_CASE = "repeated_case"
    LATE_CASE = "late_case"
    LATE_LABEL = "late_label"
    UNKNOWN_LABEL = "unknown_label"


@dataclass(frozen=True)
class EventCount:
    """How often something happened, and when last."""

    what: Counted
    count: int
    last_at: datetime


def count(connection: Connection, service: str, amounts: Mapping[Counted, int], now: datetime) -> None:
    """Add to the counts of a service; nothing is written of what is zero."""
    for what, amount in amounts.items():
        if not amount:
            continue
        here = (_rows.service == service, _rows.what == what.value)
        added = {"count": _rows["count"] + amount, "last_at": now}
        if connection.execute(update(tables.watch_counts).where(*here).values(added)).rowcount == 0:
            first = {"service": service, "what": what.value, "count": amount, "last_at": now}
            connection.execute(insert(tables.watch_counts).values(first))


def counts_of(connection: Connection, service: str) -> list[EventCount]:
    """Return what was counted of a service, in the order of `Counted`."""
    rows = select(_rows.what, _rows["count"].label("amount"), _rows.last_at).where(_rows.service == service)
    found = {row.what: EventCount(Counted(row.what), row.amount, row.last_at) for row in connection.execute(rows)}
    return [found[what] for what in Counted if what in found]


def with_amounts(taken: Taken, amounts: Mapping[str, int]) -> Taken:
    """Return ``taken`` with so much more in the fields that ``amounts`` names."""
    return taken.model_copy(update={name: getattr(taken, name) + amount for name, amount in amounts.items()})


def with_refusal(taken: Taken, batch: str, what: Counted, **params: object) -> Taken:
    """Return ``taken`` with one more batch that was refused, and why."""
    refusal = Refusal(batch=batch, reason=text(f"observation.{what}", batch=batch, **params))
    return taken.model_copy(update={"refused": (*taken.refused, refusal)})


def refused_for(taken: Taken, what: Counted) -> int:
    """Return how many batches were refused for one reason."""
    return sum(refusal.reason.code == f"observation.{what}" for refusal in taken.refused)


def sum_of(found: Iterable[Taken]) -> Taken:
    """Return everything together."""
    total = Taken()
    for one in found:
        amounts = {name: value for name, value in one if isinstance(value, int)}
        total = with_amounts(total, amounts).model_copy(update={"refused": (*total.refused, *one.refused)})
    return total


KEY_BYTES = 16
AT_ONCE = 5_000
"""Keys in one question: both databases take more, few gain by it."""


def case_key(service: str, case: str) -> bytes:
    """Return the key of a case of a service, 16 bytes: a hash, so its order depends on no outcome."""
    return _key("case", service, case)


def batch_key(service: str, kind: str, batch: str) -> bytes:
    """Return the key of a batch of a service, 16 bytes: the same when the batch is sent again."""
    return _key(kind, service, batch)


def content_key(content: bytes) -> bytes:
    """Return the key of a batch's content, 16 bytes: it shows whether a batch was sent again with other content."""
    return hashlib.sha256(content).digest()[:KEY_BYTES]


def in_chunks(keys: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Yield the keys in portions for one question each."""
    for start in range(0, len(keys), AT_ONCE):
        yield keys[start : start + AT_ONCE]


def digests_of(connection: Connection, table: Table, keys: Sequence[bytes]) -> dict[bytes, bytes]:
    """Return key → digest of the batches that ``table`` knows."""
    found: dict[bytes, bytes] = {}
    for chunk in in_chunks(keys):
        rows = select(table.c.key, table.c.digest).where(table.c.key.in_(chunk))
        found |= {bytes(key): bytes(digest) for key, digest in connection.execute(rows)}
    return found


def places_of(connection: Connection, keys: Sequence[bytes]) -> dict[bytes, tuple[int, int]]:
    """Return key → pack and row of the cases that have come."""
    found: dict[bytes, tuple[int, int]] = {}
    for chunk in in_chunks(keys):
        rows = select(_cases.key, _cases.pack, _cases.row).where(_cases.key.in_(chunk))
        found |= {bytes(key): (pack, row) for key, pack, row in connection.execute(rows)}
    return found


def _key(*parts: str) -> bytes:
    return hashlib.sha256("\n".join(parts).encode()).digest()[:KEY_BYTES]


_labels, _cases, _packs, _cohorts = (
    tables.labels.c,
    tables.observed_cases.c,
    tables.observation_packs.c,
    tables.watch_cohorts.c,
)
_SHOWN = 80
"""Letters of a label that cannot be read."""
_NUMBERS = frozenset({"value", "interval"})


def take_labels(
    change: Transaction, service: str, batches: Sequence[LabelBatch], settings: Sequence[RuleContext] = ()
) -> Taken:
    """Take batches of labels of one service and return what came of them.

    ``settings``: of its versions, where they are known. A label that none of them can read would count as none, and a
    case without a label as correct: so its batch is refused.
    """
    keys = [batch_key(service, "labels", batch.batch) for batch in batches]
    known = digests_of(change.connection, tables.label_batches, keys)
    taken = Taken()
    for batch, key in zip(batches, keys, strict=True):
        digest = content_key(json.dumps(batch.labels, sort_keys=True).encode())
        if key not in known:
            unread = _first_unread(batch, settings)
            if unread is not None:
                taken = with_refusal(taken, batch.batch, Counted.UNREAD_LABEL, **unread)
                continue
            known[key] = digest
            taken = with_amounts(taken, _write(change, batch, key, digest))
        elif known[key] == digest:
            taken = with_amounts(taken, {"repeated": 1})
        else:
            taken = with_refusal(taken, batch.batch, Counted.BATCH_DIFFERS)
    return taken


def labels_of(connection: Connection, keys: Sequence[bytes], labels_to: int) -> dict[bytes, Scalar]:
    """Return key → the newest label of a case in batches up to ``labels_to``; nothing for those without."""
    found: dict[bytes, Scalar] = {}
    for chunk in in_chunks(keys):
        upto = (_labels.key.in_(chunk), _labels.batch <= labels_to)
        rows = select(_labels.key, _labels.value).where(*upto).order_by(_labels.batch)
        found |= {bytes(key): json.loads(value) for key, value in connection.execute(rows)}
    return found


@dataclass(frozen=True)
class LabelledPack:
    """Cases with the place of each in the order of its cohort and its label, None where there is none."""

    keys: list[bytes]
    pack: Pack
    labels: list[Scalar]

    def among(self, rows: Sequence[int]) -> LabelledPack:
        """Return these rows of it."""
        if len(rows) == len(self.keys):
            return self
        return LabelledPack([self.keys[row] for row in rows], self.pack.among(rows), [self.labels[row] for row in rows])


def cases_of(connection: Connection, cohort: Cohort) -> Iterator[LabelledPack]:
    """Yield the cases of a closed cohort, pack by pack; those that were erased are left out."""
    here = (_packs.cohort == cohort.number, _packs.body.is_not(None))
    numbers = connection.scalars(select(_packs.number).where(*here).order_by(_packs.number)).all()
    for number in numbers:
        whole = Pack.from_bytes(connection.scalar(select(_packs.body).where(_packs.number == number)) or b"")
        pack = whole.among([row for row, case in enumerate(whole.ids) if case])
        keys = [case_key(cohort.service, case) for case in pack.ids]
        known = labels_of(connection, keys, cohort.labels_to)
        yield LabelledPack(keys, pack, [known.get(key) for key in keys])


def _first_unread(batch: LabelBatch, settings: Sequence[RuleContext]) -> dict[str, object] | None:
    """Return what is told of labels that cannot be read, the first by name; None where all can."""
    labels = list(batch.labels.items())
    unread = unreadable([value for _, value in labels], settings, readable_labels) if settings else []
    if not unread:
        return None
    case, value = labels[unread[0]]
    classes = sorted({name for setting in settings for name in setting.classes})
    kinds = {setting.kind for setting in settings}
    if "episode" in kinds:
        allowed: object = text("observation.an_outcome")
    else:
        allowed = ", ".join(classes) or text("observation.a_number" if kinds <= _NUMBERS else "observation.a_text")
    return {"case": case, "found": str(value)[:_SHOWN], "count": len(unread), "allowed": allowed}


def _write(change: Transaction, batch: LabelBatch, key: bytes, digest: bytes) -> dict[str, int]:
    labels = {case_key(batch.service, case): json.dumps(value) for case, value in batch.labels.items()}
    known = places_of(change.connection, list(labels))
    values = {
        "service": batch.service,
        "key": key,
        "digest": digest,
        "cases": len(labels),
        "unknown": len(labels) - len(known),
        "taken_at": change.now,
    }
    made = change.connection.execute(insert(tables.label_batches).values(values)).inserted_primary_key
    assert made is not None
    rows = [{"key": case, "batch": made[0], "value": value} for case, value in labels.items()]
    change.connection.execute(insert(tables.labels), rows)
    return {
        "batches": 1,
        "labels": len(labels),
        "late_labels": _count_late(change, list(known)),
        "unknown_labels": len(labels) - len(known),
    }


def _count_late(change: Transaction, keys: Sequence[bytes]) -> int:
    """Return of how many cases the cohort has closed, or had when they came."""
    open_now = (_cohorts.state == CohortState.OPEN.value) & (_cohorts.closes_at >= change.now)
    late = 0
    rows = select(func.count()).select_from(tables.observed_cases)
    rows = rows.join(tables.observation_packs, _packs.number == _cases.pack)
    rows = rows.outerjoin(tables.watch_cohorts, (_cohorts.number == _packs.cohort) & open_now)
    for chunk in in_chunks(keys):
        late += change.connection.scalar(rows.where(_cases.key.in_(chunk), _cohorts.number.is_(None))) or 0
    return late
