"""Notices that follow from no step of a record: requests to people, and uses of an owner's data; who has webhooks.

An owner is notified of each use that the gate has let in and counted, and of the first refusal of a day. The log
records these; the access record shows what is opened under a use (`vault.readers`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pilotbase.catalogue.records import both_languages, organisation_of
from pilotbase.documents.base import Localized
from pilotbase.documents.board import BoardSubmission, Tender, TenderPlan, TenderResult
from pilotbase.documents.hashes import digest_of, is_digest
from pilotbase.documents.labelling import KeptItems, LabellingRound
from pilotbase.documents.notice import Address, NoticeBody, NoticeKind
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.service import ActConsent
from pilotbase.documents.site import AskedPack
from pilotbase.documents.subjects import Subject, holder_of, name_of
from pilotbase.documents.terms import term_name
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import ConsentState, Role
from pilotbase.notices.outbox import RolesOf, tell
from pilotbase.notices.rows import NoticeDraft
from pilotbase.notices.webhooks import all_webhooks
from pilotbase.service.registry import load_service
from pilotbase.vault.opening import hidden_set_of
from pilotbase.worker.rooms import notice_of_room
from pilotbase.worker.trials.tenders import entries_of_closed, tender_of
from pilotbase.workspace.jobs import Job
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.log.entries import REFUSED, USED, LogEntry
from pilotbase.workspace.store import Change, View


def webhook_roles(view: View) -> RolesOf:
    """Return the roles of the organisations that have webhooks; of others, none."""
    with view.reading() as connection:
        names = {webhook.organisation for webhook in all_webhooks(connection)}
    registered = {name: organisation_of(view, name) for name in names}
    roles = {name: frozenset(found.roles) if found else frozenset[Role]() for name, found in registered.items()}
    return lambda name: roles.get(name, frozenset())


def of_readings(view: View, entries: Iterable[LogEntry]) -> Iterator[NoticeDraft]:
    """Yield the notices of uses and refusals in entries of the log; an owner's own uses give none."""
    for entry in entries:
        said = _said(entry)
        about = _subject(view, entry) if said is not None else None
        if about is not None and holder_of(about) != entry.facts["for"]:
            body = NoticeBody(title=_title(view, about), said=said, organisation=str(entry.facts["for"]))
            address = Address(organisation=holder_of(about))
            yield NoticeDraft(NoticeKind.DATA, about, address, body, f"log {entry.number}")


def _said(entry: LogEntry) -> Text | None:
    facts = entry.facts
    named = {"organisation": facts.get("for"), "channel": _word(facts.get("channel"))}
    if entry.action == USED:
        purpose, rows = _word(facts.get("purpose")), facts.get("rows") or "–"
        return text("reader.told_use", purpose=purpose, rows=rows, **named)
    if entry.action == REFUSED and facts["times"] == 1:
        reason = Text(code=f"reader.reason.{str(facts['reason']).removeprefix('terms.')}")
        return text("reader.told_refusal", reason=reason, **named)
    return None


def _word(word: object) -> Text | str:
    return term_name(str(word)) or str(word) if word else "–"


def _subject(view: View, entry: LogEntry) -> Subject | None:
    """Return the dataset that was used, or the scenario that a paper concerns."""
    target = entry.subjects[1] if entry.action == USED else entry.subjects[0]
    if not is_digest(target):
        return target
    stored = view.get(target)
    if stored is not None and stored.kind == "trial-plan":
        return stored.load(TrialPlan).scenario.subject
    if stored is not None and stored.kind == "tender-plan":
        return stored.load(TenderPlan).scenario.subject
    if stored is not None and stored.kind == "board-submission":
        with view.reading() as connection:
            hidden = hidden_set_of(connection, stored.load(BoardSubmission).board)
        return None if hidden is None else view.load(hidden.scenario, Scenario).subject
    return None


def of_asks(view: View, changes: Iterable[Change]) -> Iterator[NoticeDraft]:
    """Yield the notices of packs to agree to, items to label, acts that need consent, and decided tenders."""
    for change in changes:
        if change.event == "moved" and change.kind == "site-pack-order":
            yield _of_pack(view, view.load(change.digest, AskedPack))
        elif change.event == "moved" and change.kind == "labelling-items":
            yield _of_items(view, view.load(change.digest, KeptItems))
        elif change.event == "moved" and change.kind == "act-consent":
            yield from _of_consent(view, view.load(change.digest, ActConsent))
        elif change.event == "moved" and change.kind == "tender-result":
            plan = view.load(change.digest, TenderResult).plan
            called = tender_of(view, view.load(plan, TenderPlan))
            if called is not None:
                yield from of_tender(view, called, "tender.told", f"tender {plan}")
        elif change.event == "moved" and change.kind in ("room", "room-entry"):
            yield notice_of_room(view, change)


def _of_pack(view: View, asked: AskedPack) -> NoticeDraft:
    said = text("site.told_pack", organisation=asked.owner, site=asked.site, scenario=asked.scenario)
    body = _body(view, asked.application, "site-pack", said)
    address = Address(organisation=asked.supplier)
    return NoticeDraft(NoticeKind.ASKED, asked.application, address, body, f"site-pack {asked.identity}")


def _of_items(view: View, kept: KeptItems) -> NoticeDraft:
    of = view.load(digest_of(kept.round), LabellingRound)
    labeller = next(one for one in of.labellers if one.name == kept.labeller)
    said = text("labelling.told_items", name=of.campaign.name)
    body = _body(view, of.dataset, "labelling-round", said)
    address = Address(organisation=labeller.organisation, person=labeller.person)
    return NoticeDraft(NoticeKind.ASKED, of.dataset, address, body, f"labelling {kept.round} {kept.labeller}")


def _of_consent(view: View, consent: ActConsent) -> Iterator[NoticeDraft]:
    if consent.decided is ConsentState.UNDECIDED:
        service = load_service(view, consent.service)
        said = text("service.told_consent", service=service.name, tool=consent.tool)
        body = NoticeBody(title=both_languages(service.title), record="act-consent", said=said, due=consent.expires_at)
        address = Address(organisation=service.organisation, role=Role.DEMAND_OWNER)
        yield NoticeDraft(NoticeKind.ASKED, service.subject, address, body, f"act-consent {consent.consent}")


def of_tender(view: View, tender: Tender, code: str, happening: str) -> Iterator[NoticeDraft]:
    """Yield the notice ``code`` to the owner of a tender and to each entrant, also those left out, on its record."""
    said = text(code, scenario=name_of(tender.scenario))
    for subject in (tender.scenario, *(one.application for one in entries_of_closed(view, tender))):
        address, body = Address(organisation=holder_of(subject)), _body(view, subject, "tender", said)
        yield NoticeDraft(NoticeKind.STEP, subject, address, body, happening)


def of_kit(view: View, subject: Subject, failed: Job, tries: int, lasts: bool) -> Iterator[NoticeDraft]:
    """Yield the notices that a scenario has no public kit: to its owner, and to operators if the base can be at fault.

    ``failed``: the order that failed; ``tries``: how often it was tried.
    """
    said = text(f"worker.told_kit_{'lasts' if lasts else 'retried'}", reason=failed.reason, tries=tries)
    addresses = [Address(organisation=holder_of(subject)), *([] if lasts else [Address(role=Role.OPERATOR)])]
    for address in addresses:
        body = _body(view, subject, "scenario", said)
        yield NoticeDraft(NoticeKind.STEP, subject, address, body, f"{failed.subject} {failed.attempt}")


def tell_of(view: View, drafts: Iterable[NoticeDraft]) -> None:
    """Keep notices of what is no change of a record, and queue them for webhooks."""
    kept, roles = list(drafts), webhook_roles(view)
    with view.store.database.write() as connection:
        tell(connection, kept, roles, view.store.clock())


def _body(view: View, subject: Subject, record: str, said: Text) -> NoticeBody:
    return NoticeBody(title=_title(view, subject), record=record, said=said)


def _title(view: View, about: Subject) -> Localized:
    listing = find_listing(view, about)
    return listing.title if listing is not None else Localized(en=name_of(about), zh=name_of(about))
