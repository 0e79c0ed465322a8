"""Noticing: the change feed and the clock make notices; notices go out by mail and to webhooks.

It runs beside the queue, in a thread of its own, for a trial may take hours. Several workers may do it at once: each
notice is kept once, and a message is claimed before it goes out or has a name that identifies a second copy.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pilotbase.catalogue.bars import Blocker
from pilotbase.catalogue.my_work import waiting_of
from pilotbase.catalogue.records import both_languages, load_record, news, talks
from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.documents.notice import Address, NoticeBody, NoticeKind, Post
from pilotbase.documents.permissions import Act, act_name
from pilotbase.documents.plugins import mirrored
from pilotbase.documents.record import Record, Reviewer, Waiting
from pilotbase.documents.subjects import organisation_subject, record_head
from pilotbase.documents.texts import Language, text
from pilotbase.notices import mails, outbox, rows
from pilotbase.notices.channel import Carriers, Sender, SendResult
from pilotbase.notices.rows import NoticeDraft, of_release, of_step, of_thread, of_wait, waits_due
from pilotbase.protocols.guarded_http import GuardedHttp
from pilotbase.roadmap.proposals import of_roadmap, review
from pilotbase.worker.base import Base
from pilotbase.worker.reactions.drafts import of_asks, of_readings, webhook_roles
from pilotbase.worker.reactions.followed import of_limits, of_news
from pilotbase.worker.rounds import OnceADay, Pace, in_rounds
from pilotbase.worker.trials.acts import judge_of
from pilotbase.workspace.failures import StaleLeaseError
from pilotbase.workspace.listings import Listing, PendingWork, find_listing
from pilotbase.workspace.log.entries import LogEntry, readings_since
from pilotbase.workspace.store import View, move, position

AHEAD = timedelta(days=3)
"""How long before its day work is announced as due."""
KEPT = timedelta(days=365)
LOOK = timedelta(minutes=1)
"""How often clock, people and plan are looked at; nothing is written while there is nothing to report."""
PACE = Pace(idle=1.0, rest=15.0, end=3.0)
_FEED, _CLOCK, _READINGS = "notices", "due dates", "readings"
_CHANGES, _VERSIONS = 500, 10_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_log = logging.getLogger("pilotbase.notices")


@dataclass(frozen=True)
class Ways:
    """How notices go out: who mails, how webhooks are called, at which hour (UTC) digests go, where links lead."""

    post: Post | None = None
    http: GuardedHttp = field(default_factory=GuardedHttp)
    digest_hour: int = 0
    url: str = ""


@dataclass(frozen=True)
class Noticing:
    """Everything that a round needs."""

    base: Base
    ways: Ways
    _looked: dict[str, datetime] = field(default_factory=dict, compare=False)

    @property
    def view(self) -> View:
        return self.base.lab.view

    def round(self) -> bool:
        """Report what is new, send what is due; return whether there may be more at once."""
        self.review_plan()
        more = self.tell_changes()
        more = self.tell_uses() or more
        self.tell_due_dates()
        more = self.send_mails() or more
        return self.call_webhooks() or more

    def review_plan(self) -> None:
        """Propose another plan if records have moved since the last one, so that operators are notified of it."""
        if self._is_time("plan"):
            try:
                review(self.view)
            except InputError as error:  # such as a sheet that leaves too little time: its operator mends it
                _log.warning("the plan was not reviewed: %s", error)

    def tell_changes(self) -> bool:
        """Make notices of events since the last time; return whether the feed goes on."""
        with self.view.reading() as connection:
            since = position(connection, _FEED)
        steps, after = news(self.view, since or 0, _CHANGES)
        if after == (since or 0):
            return False
        drafts = [draft for step in steps for draft in self._of_record(step.record)]
        for talk in talks(self.view, since or 0, _CHANGES):
            if talk.sequence <= after:
                drafts += of_thread(talk.thread, talk.owner)
        changes = [one for one in self.view.changes(since or 0, _CHANGES) if one.sequence <= after]
        drafts += of_asks(self.view, changes)
        drafts += of_news(self.base, changes)
        drafts += of_roadmap(self.view, changes)
        for module in mirrored("worker.reactions.noticing"):
            drafts += module.of_changes(self.view, changes)
        self._keep(_FEED, since, after, drafts)
        return True

    def tell_uses(self) -> bool:
        """Make notices to owners of the uses of their data since the last time; return whether the log goes on."""
        with self.view.reading() as connection:
            since = position(connection, _READINGS)
            entries = [LogEntry.model_validate_json(body) for body in readings_since(connection, since or 0, _CHANGES)]
        if entries:
            self._keep(_READINGS, since, entries[-1].number + 1, list(of_readings(self.view, entries)))
        return bool(entries)

    def tell_due_dates(self) -> None:
        """Make notices of the days that have come nearer than `AHEAD`, or have passed, and of limits nearly used up."""
        now = self.view.store.clock()
        with self.view.reading() as connection:
            since = position(connection, _CLOCK)
        before = now if since is None else _EPOCH + timedelta(microseconds=since)
        if since is not None and now - before < LOOK:
            return
        near = waits_due(self.view, before + AHEAD, now + AHEAD)
        past = waits_due(self.view, before, now)
        drafts = [draft for listing, wait in (*near, *past) for draft in self._of_wait(listing, wait, now)]
        drafts += of_limits(self.view)
        self._keep(_CLOCK, since, (now - _EPOCH) // timedelta(microseconds=1), drafts)

    def send_mails(self) -> bool:
        """Queue mails about what is new, and send those that are due; return whether there were any."""
        if self.ways.post is None or not (mails.is_news(self.view) or self._is_time("people")):
            return False
        people, hour = {one.person: one for one in self.ways.post.people()}, self.ways.digest_hour
        mails.gather(self.view, people, hour)
        return self._send_all(mails.claim_mails(self.view, people, hour))

    def call_webhooks(self) -> bool:
        """Send due messages to webhooks; return whether there were any."""
        return self._send_all(outbox.claim_messages(self.view, lambda: webhook_roles(self.view)))

    def forget(self) -> int:
        """Remove notices that are older than `KEPT`; return how many."""
        with self.view.store.database.write() as connection:
            return rows.forget(connection, self.view.store.clock() - KEPT)

    def _is_time(self, what: str) -> bool:
        """Return whether `LOOK` has passed since this was last true for ``what``."""
        now = self.view.store.clock()
        if what in self._looked and now - self._looked[what] < LOOK:
            return False
        self._looked[what] = now
        return True

    def _of_record(self, record: Record) -> Iterator[NoticeDraft]:
        title, now = both_languages(record.title), self.view.store.clock()
        yield from of_step(record, title)
        yield from (of_release(record, title, reviewer) for reviewer in self._released(record))
        if self.view.head(record_head(record.subject)) == record.digest():
            listing = Listing(record.subject, record.kind, record.state, "", record.owner, title)
            for one in record.waits:
                # Such as an order whose day is tomorrow: the clock has passed the moment of its announcement.
                if one.since != record.history[-1].at:
                    continue
                wait = PendingWork(one.act, one.role, one.organisation or "", one.person or "", one.since, one.due)
                if one.due is not None and one.due <= now + AHEAD:
                    yield from self._of_wait(listing, wait, now)
                else:
                    yield from _of_bar(record, one, judge_of(self.base, now).bar_of_wait(record, one))

    def _of_wait(self, listing: Listing, wait: PendingWork, now: datetime) -> Iterator[NoticeDraft]:
        """Yield the notices of work that comes due: to those whom it waits for, or those who must act before it."""
        record, waiting = load_record(self.view, listing.subject)[0], waiting_of(wait)
        bar = judge_of(self.base, now).bar_of_wait(record, waiting)
        if bar is None or not bar.remedies:
            yield of_wait(listing, wait, now)
        yield from _of_bar(record, waiting, bar, of_wait(listing, wait, now).happening)

    def _released(self, record: Record) -> list[Reviewer]:
        """Return the reviewers whom the last step has released: the record before it still names them."""
        if record.history[-1].act is not Act.REVIEWER_RELEASE:
            return []
        earlier = record.history[:-1]
        versions = self.view.find("record", {"subject": record.subject}, limit=_VERSIONS)
        before = next(one for one in (stored.load(Record) for stored in versions) if one.history == earlier)
        return [reviewer for reviewer in before.reviewers if reviewer not in record.reviewers]

    def _keep(self, name: str, since: int | None, after: int, drafts: list[NoticeDraft]) -> None:
        roles_of = webhook_roles(self.view)
        with self.view.store.database.write() as connection:
            if move(connection, name, expected=since, to=after):
                outbox.tell(connection, drafts, roles_of, self.view.store.clock())

    def _send_all(self, claimed: Sequence[outbox.ClaimedMessage | mails.Mail]) -> bool:
        """Send side by side: a slow one holds nothing else up."""
        if claimed:
            with ThreadPoolExecutor(len(claimed)) as pool:
                list(pool.map(self._send, claimed))
        return bool(claimed)

    def _send(self, one: outbox.ClaimedMessage | mails.Mail) -> None:
        sender = Sender(self.base.trust.issuer, self.ways.url, self._title_of)
        try:
            parcel = one.parcel(self.view, self.base.home.keys, sender)
            sent = one.channel.send(parcel, Carriers(self.ways.http, self.ways.post))
        except PilotbaseError as error:
            sent = SendResult(False, error.text)
        if not sent.ok:
            _log.warning("by %s nothing was taken: %s", one.channel.name, sent.said.code)
        with suppress(StaleLeaseError):  # somebody else has taken it up, or the person wants it otherwise
            one.note(self.view, sent)

    def _title_of(self, organisation: str, language: Language) -> str:
        listing = find_listing(self.view, organisation_subject(organisation)) if organisation else None
        return listing.title.render(language) if listing is not None else organisation


def running(ours: Noticing) -> AbstractContextManager[None]:
    """Run rounds in a thread until the end of the block; old notices are removed once a day."""
    return in_rounds("notices", OnceADay(ours.view.store.clock, ours.forget, ours.round), PACE)


def _of_bar(record: Record, wait: Waiting, bar: Blocker | None, happening: str = "") -> Iterator[NoticeDraft]:
    """Yield the notices to those who can remove what blocks waiting work."""
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
