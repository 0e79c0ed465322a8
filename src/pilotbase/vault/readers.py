"""The access record: who has read a dataset's files or a scenario's hidden cases, and the log line that proves it.

It is derived from the log and the ledger of uses; nothing is written for it. Everything that opens sealed bytes first
writes the line (`workspace.log.entries`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, select

from pilotbase.documents.api.datasets import FacetCount, ReaderFacet, Readers, ReadingTold
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import ReadScope, SubjectRelation, permitted
from pilotbase.documents.subjects import Subject, holder_of, kind_of, name_of
from pilotbase.documents.terms import Action, Use
from pilotbase.documents.vocabularies import ReadingKind
from pilotbase.workspace import records, terms_rows
from pilotbase.workspace.actors import BASE_ITSELF
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import MAXIMUM_PAGE, find_listing
from pilotbase.workspace.log import entries
from pilotbase.workspace.log.entries import Fact, LogEntry, digest_text, log_size
from pilotbase.workspace.log.merkle import leaf_hash
from pilotbase.workspace.store import View
from pilotbase.workspace.terms_rows import dataset_row

MOST = 5000
"""The newest so many lines are read; the facets are counted over them."""
_SETS = 10_000
_KINDS = ("dataset", "scenario")
_WHAT = {
    entries.ROWS: "rows",
    entries.RECORDS: "records",
    entries.FILE: "file",
    entries.UPLOAD: "upload",
    entries.MARKS: "marks",
    entries.TAKEN: "bundle",
    entries.BUNDLE: "bundle",
    entries.ITEM: "item",
    entries.SAMPLE: "sample",
}
_OF_ACTION: Mapping[str, str] = {Action.DISPLAY: "preview", Action.COMPUTE_ON: "table"}
"""Permitted action → what it opens of a kept file, if not the file itself."""
_RENAMED = {"features": "trial"}
"""Purpose of an opening as version 0.1.0 wrote it → what it is called now."""
_Uses = Mapping[tuple[str, Digest], Use]
_T = TypeVar("_T", str, int)


def readers_of(
    view: View, subject: Subject, asked: Mapping[ReaderFacet, str], before: int | None = None, limit: int = 50
) -> Readers:
    """Return who has read a dataset or a scenario's hidden cases, newest first, below number ``before`` of the log.

    The count of a facet's value applies every other part of the search.

    Raises:
        NotFoundError: there is no such dataset or scenario, or the actor is not its owner, the operator, the regulator.
    """
    limit = max(1, min(limit, MAXIMUM_PAGE))
    with view.reading() as connection:
        names = _names(connection, subject)
        _require_reading(view, subject, known=len(names) > 1 or dataset_row(connection, subject) is not None)
        bodies = entries.readings_of(connection, names, before, MOST)
        lines = [(LogEntry.model_validate_json(body), leaf_hash(body)) for body in bodies]
        uses, size = _uses_of(connection, (entry for entry, _ in lines)), log_size(connection)
    told = [_told(entry, digest_text(leaf), uses) for entry, leaf in lines]
    found = [one for one in told if _fits(one, asked)]
    rest = lines[-1][0].number if len(lines) == MOST else None
    return Readers(
        subject=subject,
        items=found[:limit],
        total=len(found),
        facets={facet: _counted(told, facet, asked) for facet in ReaderFacet},
        next=found[limit - 1].number if len(found) > limit else rest,
        size=size,
    )


def may_see_readers(view: View, subject: Subject) -> bool:
    """Return whether the actor may see the access record of a dataset or a scenario."""
    return permitted(ReadScope.READERS, view.actor, SubjectRelation(demand_owner=holder_of(subject)))


def _require_reading(view: View, subject: Subject, known: bool) -> None:
    """``known``: the store has rows of it; a home without a hub keeps no records."""
    there = kind_of(subject) in _KINDS and (known or find_listing(view, subject) is not None)
    if not there or not may_see_readers(view, subject):
        raise NotFoundError("record.not_found", subject=subject)


def _names(connection: Connection, subject: Subject) -> list[str]:
    """Return the names under which the log records readings, for a scenario including those of its hidden sets."""
    if kind_of(subject) != "scenario":
        return [subject]
    owner, _, name = name_of(subject).partition("/")
    sealed = records.find(connection, BASE_ITSELF, "sealed-scenario", {"scenario": name}, _SETS)
    return [subject, *sorted({json.loads(one.body)["hidden_set"] for one in sealed if one.owner == owner})]


def _uses_of(connection: Connection, entries: Iterable[LogEntry]) -> _Uses:
    named = {use for entry in entries if isinstance(use := _use(entry), str)}
    rows = select(terms_rows.uses).where(terms_rows.uses.c.request.in_(sorted(named)))
    found = [Use(**row._mapping) for row in connection.execute(rows)] if named else []
    return {(use.ground, use.request): use for use in found}


def _use(entry: LogEntry) -> Fact | None:
    return entry.subjects[2] if entry.action == entries.USED else entry.facts.get("use")


def _told(entry: LogEntry, leaf: str, uses: _Uses) -> ReadingTold:
    fact = partial(_fact, entry.facts)
    ground = entry.subjects[0] if entry.action == entries.USED else fact("ground", "")
    use = uses.get((ground, str(_use(entry) or "")))
    kinds = {entries.USED: ReadingKind.USED, entries.REFUSED: ReadingKind.REFUSED}
    opened = entry.action in entries.OPENINGS
    by = entry.actor.organisation
    return ReadingTold(
        number=entry.number,
        leaf=leaf,
        at=entry.time,
        kind=kinds.get(entry.action, ReadingKind.OPENED),
        by=by,
        organisation=use.organisation if use is not None else fact("for", "") or _own(ground) or by,
        what=_OF_ACTION.get(fact("action", ""), _WHAT[entry.action]) if opened else "",
        name=fact("file", ""),
        step=_RENAMED.get(fact("purpose", ""), fact("purpose", "")) if opened else "",
        purpose=use.purpose if use is not None else "",
        channel=use.channel if use is not None else fact("channel", ""),
        rows=fact("rows", 0) or (use.rows if use is not None and not opened else 0) or None,
        size=fact("bytes", 0) or None,
        ground=ground,
        attempt=fact("attempt", 0) or None,
        reason=fact("reason", "").removeprefix("terms."),
        times=fact("times", 0) or None,
    )


def _fact(facts: Mapping[str, Fact], name: str, default: _T) -> _T:
    """Return a fact of an entry, ``default`` if it has none of that type."""
    found = facts.get(name, default)
    return found if isinstance(found, type(default)) else default


def _own(ground: str) -> str:
    """Return the owner whose own work a ground is; empty for every other ground."""
    return "" if ":" in ground else ground


def _fits(one: ReadingTold, asked: Mapping[ReaderFacet, str], but: ReaderFacet | None = None) -> bool:
    return all(not value or facet is but or getattr(one, facet) == value for facet, value in asked.items())


def _counted(told: list[ReadingTold], facet: ReaderFacet, asked: Mapping[ReaderFacet, str]) -> list[FacetCount]:
    counts = Counter(str(getattr(one, facet)) for one in told if _fits(one, asked, facet))
    return [FacetCount(value=value, count=count) for value, count in sorted(counts.items()) if value]
