"""Records as an actor sees them and as the engine judges a step by them; what happened to them; ownership ties."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pilotbase.documents.base import Localized
from pilotbase.documents.hashes import Digest
from pilotbase.documents.moments import format_minute
from pilotbase.documents.permissions import Act, act_name
from pilotbase.documents.record import Record, StepTaken
from pilotbase.documents.subjects import Organisation, name_of, organisation_subject, record_head
from pilotbase.documents.thread import Thread
from pilotbase.documents.vocabularies import Role
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.listings import MAXIMUM_PAGE, Query, list_page
from pilotbase.workspace.store import View, newest_change

_LOOKED_AT = 1000
"""Changes of the store, most of which are no steps."""


class StaleEditError(ConflictError):
    """The record moved since it was read; ``steps`` are what others did meanwhile, oldest first."""

    def __init__(self, subject: str, steps: Sequence[StepTaken]) -> None:
        last = steps[-1]
        super().__init__(
            "record.stale",
            subject=subject,
            organisation=last.organisation,
            act=act_name(last.act),
            at=format_minute(last.at),
        )
        self.steps = tuple(steps)


class PreconditionError(ConflictError):
    """The version that the caller has seen is not the current one."""


def load_record(view: View, subject: str) -> tuple[Record, Digest]:
    """Return the record of ``subject`` and this version's digest; raises `NotFoundError` if the actor sees none."""
    digest = view.head(record_head(subject))
    if digest is None:
        raise NotFoundError("record.not_found", subject=subject)
    return view.load(digest, Record), digest


def records_of(view: View, subjects: Sequence[str]) -> dict[str, Record]:
    """Return subject → its current record, for those that the actor sees."""
    found = view.named([record_head(subject) for subject in subjects]).values()
    return {record.subject: record for record in (stored.load(Record) for stored in found)}


def record_of(view: View, subject: str) -> Record | None:
    """Return the current record, or None if the actor does not see it."""
    return records_of(view, [subject]).get(subject)


def trial_with(view: View, certificate: Digest, scenario: str, application: str) -> Record | None:
    """Return the trial of ``application`` on ``scenario`` whose record contains a certificate, if the actor sees it."""
    trials = list_page(view, Query("commission", scenario=scenario, application=application), limit=MAXIMUM_PAGE)
    found = records_of(view, [listing.subject for listing in trials.items]).values()
    return next((one for one in found if one.documents.get("certificate") == certificate), None)


def everything(view: View) -> View:
    """Return the store as the base itself sees it, to judge a step by what its actor may not see."""
    return view.as_actor(Actor(view.actor.organisation, frozenset({Role.OPERATOR})))


def steps_since(view: View, seen: Digest, now: Record) -> tuple[StepTaken, ...]:
    """Return the steps of ``now`` that its version ``seen`` did not have yet; all of them for an unknown version."""
    found = view.get(seen)
    before = found.load(Record) if found is not None and found.kind == "record" else None
    if before is None or before.subject != now.subject:
        return now.history
    return now.history[len(before.history) :]


def both_languages(sentence: Localized | str) -> Localized:
    """Return a sentence with a text for each language, the same one twice if only one is given."""
    if isinstance(sentence, str):
        return Localized(en=sentence, zh=sentence)
    return Localized(en=sentence.render("en"), zh=sentence.render("zh"))


@dataclass(frozen=True)
class News:
    """One step; to read on, pass the ``sequence`` of the last one handled."""

    sequence: int
    record: Record
    """The record after the step, with what it waited for."""

    @property
    def step(self) -> StepTaken:
        return self.record.history[-1]


def news(view: View, since: int = 0, limit: int = 1000) -> tuple[list[News], int]:
    """Return the steps after position ``since`` that ``view`` sees, oldest first, and where to read on.

    ``limit`` counts changes of the store, most of which are not steps.
    """
    changes = view.changes(since, limit)
    found = []
    for change in changes:
        if change.event == "moved" and change.kind == "record":
            record = view.load(change.digest, Record)
            if change.head == record_head(record.subject):
                found.append(News(change.sequence, record))
    return found, changes[-1].sequence if changes else since


def newest_steps(view: View, limit: int) -> list[Record]:
    """Return records as the newest of the steps that ``view`` sees left them, newest first; at most ``limit``."""
    since = max(0, newest_change(view) - _LOOKED_AT)
    moved = [one for one in view.changes(since, _LOOKED_AT, ["record"]) if one.event == "moved"][-limit:]
    kept = view.get_all([one.digest for one in moved])
    return [kept[one.digest].load(Record) for one in reversed(moved) if one.digest in kept]


@dataclass(frozen=True)
class Talk:
    """One step of a thread."""

    sequence: int
    thread: Thread
    """The thread after the step."""
    owner: str
    """The organisation that owns its subject."""


def talks(view: View, since: int, limit: int) -> list[Talk]:
    """Return the steps of threads among the ``limit`` changes after position ``since`` that ``view`` sees."""
    return [
        Talk(change.sequence, view.load(change.digest, Thread), change.owner)
        for change in view.changes(since, limit)
        if change.event == "moved" and change.kind == "thread"
    ]


class Tie(NamedTuple):
    """Two parties of a trial that have an ownership tie declared by either, or that are one organisation."""

    one: str
    other: str


def ties(base: View, record: Record) -> tuple[Tie, ...]:
    """Return the ties of the supplier to the operator and to the demand owner; ``base`` must see every record."""
    if record.supplier is None:
        return ()
    others = sorted({*operators(base, record), *filter(None, [record.demand_owner])})
    tied = tied_to(base, record.supplier, others)
    return tuple(Tie(other, record.supplier) for other in others if other in tied)


def are_tied(base: View, one: str, other: str) -> bool:
    """Return whether two organisations are the same, or either has declared a tie to the other."""
    return other in tied_to(base, one, [other])


def tied_to(base: View, one: str, others: Iterable[str]) -> frozenset[str]:
    """Return those of ``others`` that are tied to ``one``; what all of them have declared is read at once."""
    others = frozenset(others)
    records = records_of(base, [organisation_subject(name) for name in {one, *others}]).values()
    stored = base.get_all([record.documents["organisation"] for record in records])
    declared = {
        name_of(record.subject): stored[record.documents["organisation"]].load(Organisation).related
        for record in records
    }
    return frozenset(
        other for other in others if other == one or other in declared.get(one, ()) or one in declared.get(other, ())
    )


def declared_ties(base: View) -> dict[str, frozenset[str]]:
    """Return organisation → those it has declared a tie to, for all registered ones."""
    return {one.name: frozenset(one.related) for one in _organisations(base)}


def operators(base: View, record: Record) -> frozenset[str]:
    """Return the organisations that act as operator: registered as such, or acting as such in this record."""
    registered = {one.name for one in _organisations(base) if Role.OPERATOR in one.roles}
    worked = {step.organisation for step in record.history if step.act in (Act.PLAN_DRAFT, Act.PLAN_FREEZE)}
    return frozenset(registered | worked)


def _organisations(base: View) -> Iterator[Organisation]:
    """Yield every registered organisation, a page of lists at a time."""
    after = None
    while True:
        page = list_page(base, Query("organisation"), after, limit=200)
        for stored in base.get_all([listing.digest for listing in page.items]).values():
            yield stored.load(Organisation)
        after = page.after
        if after is None:
            return


def organisation_of(base: View, name: str) -> Organisation | None:
    """Return an organisation's own document, or None if it is not registered."""
    record = record_of(base, organisation_subject(name))
    return None if record is None else base.load(record.documents["organisation"], Organisation)
