"""What an owner is told of its data: each use that the gate has let in and counted, and the first refusal of a day.

The log says what happened; what is opened under a use, the access record tells (`vault.readers`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pilotbase.documents.base import Localized
from pilotbase.documents.board import BoardSubmission
from pilotbase.documents.hashes import is_digest
from pilotbase.documents.notice import Address, NoticeBody, NoticeKind
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.subjects import Subject, holder_of, name_of, scenario_subject
from pilotbase.documents.texts import Text, text
from pilotbase.notices.making import NoticeDraft
from pilotbase.vault.opening import hidden_set_of
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.log.entries import LogEntry
from pilotbase.workspace.log.readings import REFUSED, USED
from pilotbase.workspace.store import View


def of_readings(view: View, entries: Iterable[LogEntry]) -> Iterator[NoticeDraft]:
    """Yield the notices of what entries of the log say was used or refused; of an owner's own uses there are none."""
    for entry in entries:
        said = _said(entry)
        about = _subject(view, entry) if said is not None else None
        if about is not None and holder_of(about) != entry.facts["for"]:
            body = NoticeBody(title=_title(view, about), said=said, organisation=str(entry.facts["for"]))
            address = Address(organisation=holder_of(about))
            yield NoticeDraft(NoticeKind.DATA, about, address, body, f"log {entry.number}")


def _said(entry: LogEntry) -> Text | None:
    facts = entry.facts
    named = {"organisation": facts.get("for"), "channel": facts.get("channel") or "–"}
    if entry.action == USED:
        return text("reader.told_use", purpose=facts.get("purpose") or "–", rows=facts.get("rows") or "–", **named)
    if entry.action == REFUSED and facts["times"] == 1:
        reason = Text(code=f"reader.reason.{str(facts['reason']).removeprefix('terms.')}")
        return text("reader.told_refusal", reason=reason, **named)
    return None


def _subject(view: View, entry: LogEntry) -> Subject | None:
    """Return the dataset that was used, or the scenario that a paper is about."""
    target = entry.subjects[1] if entry.action == USED else entry.subjects[0]
    if not is_digest(target):
        return target
    stored = view.get(target)
    if stored is not None and stored.kind == "trial-plan":
        about = stored.load(TrialPlan).scenario
        return scenario_subject(about.owner.organisation, about.name)
    if stored is not None and stored.kind == "board-submission":
        with view.reading() as connection:
            hidden = hidden_set_of(connection, stored.load(BoardSubmission).board)
        return None if hidden is None else view.load(hidden.scenario, Scenario).subject
    return None


def _title(view: View, about: Subject) -> Localized:
    listing = find_listing(view, about)
    return listing.title if listing is not None else Localized(en=name_of(about), zh=name_of(about))
