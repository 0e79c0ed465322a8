"""What people are told that is asked of them and stands on no record: packs for sites to agree to, items to label."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pilotbase.catalogue.bars import Blocker
from pilotbase.catalogue.records import both_languages
from pilotbase.documents.base import Localized
from pilotbase.documents.hashes import digest_of
from pilotbase.documents.labelling import KeptItems, LabellingRound
from pilotbase.documents.notice import Address, NoticeBody, NoticeKind
from pilotbase.documents.permissions import act_name
from pilotbase.documents.record import Record, Waiting
from pilotbase.documents.site import AskedPack
from pilotbase.documents.subjects import Subject, name_of
from pilotbase.documents.texts import Text, text
from pilotbase.notices.making import NoticeDraft
from pilotbase.workspace.changes import Change
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.store import View


def of_asks(view: View, changes: Iterable[Change]) -> Iterator[NoticeDraft]:
    """Yield the notices of packs that suppliers are asked to agree to, and of items that were sealed for labellers."""
    for change in changes:
        if change.event == "moved" and change.kind == "site-pack-order":
            yield _of_pack(view, view.load(change.digest, AskedPack))
        elif change.event == "moved" and change.kind == "labelling-items":
            yield _of_items(view, view.load(change.digest, KeptItems))


def of_bar(record: Record, wait: Waiting, bar: Blocker | None, happening: str = "") -> Iterator[NoticeDraft]:
    """Yield the notices to those who can remove what bars work that waits."""
    if bar is None:
        return
    for one in bar.remedies:
        waits, remedy = act_name(wait.act), act_name(one.act)
        said = text("record.asked_to_clear", act=waits, remedy=remedy, reason=bar.error.text)
        address = Address(organisation=one.organisation, role=one.role, person=one.person)
        title = both_languages(record.title)
        body = NoticeBody(title=title, record=one.record.kind, act=one.act, said=said)
        about = happening or f"{record.subject} {record.digest()}"
        yield NoticeDraft(NoticeKind.ASKED, one.subject, address, body, f"{about} {wait.act} {one.act}")


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


def _body(view: View, subject: Subject, record: str, said: Text) -> NoticeBody:
    listing = find_listing(view, subject)
    title = listing.title if listing is not None else Localized(en=name_of(subject), zh=name_of(subject))
    return NoticeBody(title=title, record=record, said=said)
