"""Mail to people, at once, once a day or never as each chooses, and how far it has come.

News for a person opens one row of the queue, due at once or at the hour of the daily mail; later news joins it. A mail
is sent before that is noted. Its name derives from its content, so a worker killed in between sends it again under the
same name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from sqlalchemy import Connection, delete, func, insert, select, update

from pilotbase.documents.notice import MailChoice, Notice, Recipient
from pilotbase.notices.channel import LONGEST, NoticeChannel, Parcel, Sender, SendResult
from pilotbase.notices.channels import CHANNELS
from pilotbase.notices.rows import last_sequence, unread_since
from pilotbase.workspace import tables, work
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.keys import KeyFolder
from pilotbase.workspace.store import View, move, position

DEFAULT = MailChoice.DAILY
IN_ONE_MAIL = 100
_LANE, _READER = "mail", "mails"
_CLAIMED_SECONDS, _AT_ONCE = 60, 8
_rows, _notices, _work = tables.notice_mails.c, tables.notices.c, tables.work.c


@dataclass(frozen=True)
class Mail:
    """Notices that are claimed for one mail to a person now."""

    recipient: Recipient
    notices: Sequence[Notice]
    after: int
    """The position of the person's mails once this one is sent."""
    again_at: datetime | None
    """When to send the rest, and later notices; None: at once."""
    held: work.WorkLease

    @property
    def channel(self) -> NoticeChannel:
        return CHANNELS[_LANE]

    @property
    def name(self) -> str:
        """Return the name of this mail, which is the same for the same notices to the same person."""
        told = "\n".join([self.recipient.person, *(notice.identity for notice in self.notices)])
        return hashlib.sha256(told.encode()).hexdigest()[:32]

    def parcel(self, view: View, keys: KeyFolder, sender: Sender) -> Parcel:
        """Return what goes out."""
        to = self.recipient
        return Parcel(self.name, self.notices, to.mail, to.language, "", view.store.clock(), sender)

    def note(self, view: View, sent: SendResult) -> None:
        """Note the result; raises `StaleLeaseError` if the person changed their settings or another worker sends it."""
        with view.store.database.write() as connection:
            now = view.store.clock()
            if sent.ok:
                _advance(connection, self.held, self.recipient.person, self.after, sent_at=now)
                if last_sequence(connection) > self.after:
                    _put(connection, self.recipient.person, now, self.again_at)
            else:
                work.fail(connection, self.held, sent.said, self.channel.retry, now)


def mail_choice(view: View) -> MailChoice:
    """Return the mail settings of the person of ``view``."""
    with view.reading() as connection:
        chosen = connection.scalar(select(_rows.choice).where(_rows.person == (view.actor.person or "")))
    return MailChoice(chosen) if chosen else DEFAULT


def has_failed(view: View) -> bool:
    """Return whether the last mail to the person of ``view`` failed; it is retried."""
    mine = (_work.lane == _LANE, _work.key == (view.actor.person or ""), work.OPEN, _work.reason.is_not(None))
    with view.reading() as connection:
        return connection.scalar(select(_work.identity).where(*mine)) is not None


def choose_mail(view: View, choice: MailChoice) -> None:
    """Change the mail settings of the person of ``view`` for later notices."""
    person = view.actor.person
    assert person is not None
    with view.store.database.write() as connection:
        _begin(connection, person)
        chosen = {"choice": choice.value, "position": last_sequence(connection)}
        connection.execute(update(tables.notice_mails).where(_rows.person == person).values(chosen))
        connection.execute(delete(tables.work).where(_work.lane == _LANE, _work.key == person))


def is_news(view: View) -> bool:
    """Return whether there are notices without a queued mail, or mails that are due."""
    with view.reading() as connection:
        waiting = connection.scalar(select(work.waits(_LANE, view.store.clock(), LONGEST)))
        return bool(waiting) or last_sequence(connection) != position(connection, _READER)


def gather(view: View, people: Mapping[str, Recipient], digest_hour: int) -> None:
    """Queue a mail for everybody whom new notices may concern; new people get only later notices."""
    with view.reading() as connection:
        known = {row.person: row.choice for row in connection.execute(select(_rows.person, _rows.choice))}
        since, latest = position(connection, _READER), last_sequence(connection)
        address = (_notices.organisation, _notices.role, _notices.person)
        new = select(*address, func.min(_notices.made_at)).group_by(*address)
        told = connection.execute(new.where(_notices.sequence > (since or 0), _notices.sequence <= latest)).all()
    if since == latest and known.keys() >= people.keys():
        return
    with view.store.database.write() as connection:
        for person in people.keys() - known.keys():
            _begin(connection, person)
        if move(connection, _READER, expected=since, to=latest):
            now = view.store.clock()
            first = now if since is None else min((at for *_, at in told), default=now)
            for one in (people[person] for person in known.keys() & people.keys()):
                choice = MailChoice(known[one.person])
                if choice is not MailChoice.NONE and any(_may_be_for(one, *address) for *address, _ in told):
                    _put(connection, one.person, now, _next_at(choice, digest_hour, first))


def claim_mails(view: View, people: Mapping[str, Recipient], digest_hour: int) -> list[Mail]:
    """Return mails to send now, each counted as tried, without notices that were read meanwhile."""
    found: list[Mail] = []
    with view.store.database.write() as connection:
        now = view.store.clock()
        while len(found) < _AT_ONCE:
            claimed = work.claim(connection, _LANE, work.Holder(uuid4().hex, _CLAIMED_SECONDS), now, LONGEST)
            if claimed is None:
                break
            person, held = claimed[0].key, claimed[1]
            chosen = connection.execute(select(tables.notice_mails).where(_rows.person == person)).one_or_none()
            if person not in people or chosen is None:  # has left, or accounts cannot be read now
                work.fail(connection, held, None, CHANNELS[_LANE].retry, now)
                continue
            told, latest = _unread(connection, people[person], chosen.position), last_sequence(connection)
            if not told:
                _advance(connection, held, person, latest)
                continue
            whole = len(told) < IN_ONE_MAIL
            again_at = _next_at(MailChoice(chosen.choice), digest_hour, now) if whole else None
            notices = [notice for _, notice in told]
            found.append(Mail(people[person], notices, latest if whole else told[-1][0], again_at, held))
    return found


def _put(connection: Connection, person: str, now: datetime, ready_at: datetime | None) -> None:
    work.put(connection, work.WorkRequest(_LANE, "digest", person, {}, person=person), now, ready_at)


def _advance(connection: Connection, held: work.WorkLease, person: str, to: int, **values: object) -> None:
    """Note the new position of a person's mails, and remove the row."""
    work.drop(connection, held)
    come = {"position": to, **values}
    connection.execute(update(tables.notice_mails).where(_rows.person == person).values(come))


def _begin(connection: Connection, person: str) -> None:
    if connection.scalar(select(_rows.person).where(_rows.person == person)) is None:
        begun = {"person": person, "choice": DEFAULT.value, "position": last_sequence(connection)}
        connection.execute(insert(tables.notice_mails).values(begun))


def _may_be_for(recipient: Recipient, organisation: str, role: str, person: str) -> bool:
    """Return whether an address may mean a person; whether they can see the subject is checked on sending."""
    if person not in ("", recipient.person):
        return False
    return any(
        organisation in ("", name) and role in ("", *(one.value for one in roles))
        for name, roles in recipient.memberships
    )


def _unread(connection: Connection, recipient: Recipient, position: int) -> list[tuple[int, Notice]]:
    found: dict[int, Notice] = {}
    for organisation, roles in recipient.memberships:
        acting = Actor(organisation, roles, recipient.person)
        for number, notice in unread_since(connection, acting, position, IN_ONE_MAIL):
            found.setdefault(number, notice)
    return sorted(found.items(), key=lambda one: one[0])[:IN_ONE_MAIL]


def _next_at(choice: MailChoice, digest_hour: int, now: datetime) -> datetime | None:
    """Return when the next digest goes out; None: as soon as there is news."""
    if choice is not MailChoice.DAILY:
        return None
    today = now.astimezone(UTC).replace(hour=digest_hour, minute=0, second=0, microsecond=0)
    return today if today > now else today + timedelta(days=1)
