"""How a person wants to be told by mail, and how far that has come: at once, once a day, or not at all.

A mail goes out before it is noted, under a name that is drawn from what it tells: whoever is killed in between sends it
again under the same name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, insert, or_, select, update

from pilotbase.documents.notice import MailChoice, Notice, Recipient
from pilotbase.notices.rows import last_sequence, unread_since
from pilotbase.workspace import tables
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.store import View

DEFAULT = MailChoice.DAILY
IN_ONE_MAIL = 100
_DELAYS = (60, 300, 1800, 7200, 21600)
"""Seconds until a mail that did not go out is tried again; the last one from then on."""
_rows = tables.notice_mails.c


@dataclass(frozen=True)
class Mail:
    """Notices that are to go to a person in one mail."""

    person: str
    notices: Sequence[Notice]
    position: int
    """Where the person's mails have come to before it."""
    after: int
    """Where they have come to once it is out."""
    choice: MailChoice

    @property
    def name(self) -> str:
        """Return the name of this mail: the same for the same notices to the same person."""
        told = "\n".join([self.person, *(notice.identity for notice in self.notices)])
        return hashlib.sha256(told.encode()).hexdigest()[:32]


def mail_choice(view: View) -> MailChoice:
    """Return how the person of ``view`` wants to be told by mail."""
    with view.reading() as connection:
        chosen = connection.scalar(select(_rows.choice).where(_rows.person == (view.actor.person or "")))
    return MailChoice(chosen) if chosen else DEFAULT


def has_failed(view: View) -> bool:
    """Tell whether the last mail to the person of ``view`` did not go out; it is tried again."""
    with view.reading() as connection:
        return bool(connection.scalar(select(_rows.failure).where(_rows.person == (view.actor.person or ""))))


def choose_mail(view: View, choice: MailChoice, digest_hour: int) -> None:
    """Let the person of ``view`` be told by mail in another way, of what comes from now on."""
    person = view.actor.person
    assert person is not None
    with view.store.database.write() as connection:
        now = view.store.clock()
        _begin(connection, person, digest_hour, now)
        chosen = {
            "choice": choice.value,
            "position": last_sequence(connection),
            "next_at": _next_at(choice, digest_hour, now),
            "tries": 0,
            "failure": "",
        }
        connection.execute(update(tables.notice_mails).where(_rows.person == person).values(chosen))


def mails_due(view: View, people: Iterable[Recipient], digest_hour: int) -> list[Mail]:
    """Return the mails that are to go out now; those who are new here are told of what comes from now on."""
    found = []
    now = view.store.clock()
    everybody = {one.person: one for one in people}
    _begin_all(view, everybody, digest_hour)
    with view.reading() as connection:
        latest = last_sequence(connection)
        for row in connection.execute(_due(now, latest)).all():
            if row.person in everybody:
                notices = _unread(connection, everybody[row.person], row.position)
                after = notices[-1][0] if len(notices) == IN_ONE_MAIL else latest
                told = tuple(notice for _, notice in notices)
                found.append(Mail(row.person, told, row.position, after, MailChoice(row.choice)))
    return found


def is_due(view: View) -> bool:
    """Tell whether any mail may be due."""
    with view.reading() as connection:
        return connection.execute(_due(view.store.clock(), last_sequence(connection)).limit(1)).first() is not None


def note_sent(view: View, mail: Mail, digest_hour: int) -> None:
    """Note that a mail is out (or that there was nothing to tell): the next one goes on from there."""
    now = view.store.clock()
    more = len(mail.notices) == IN_ONE_MAIL
    sent = {
        "position": mail.after,
        "tries": 0,
        "failure": "",
        "next_at": now if more else _next_at(mail.choice, digest_hour, now),
        **({"sent_at": now} if mail.notices else {}),
    }
    with view.store.database.write() as connection:
        connection.execute(update(tables.notice_mails).where(*_unmoved(mail)).values(sent))


def note_failed(view: View, mail: Mail, failure: str) -> None:
    """Note that a mail did not go out: it is tried again later, and later still."""
    now = view.store.clock()
    with view.store.database.write() as connection:
        tries = connection.scalar(select(_rows.tries).where(*_unmoved(mail)))
        if tries is not None:
            delay = _DELAYS[min(tries, len(_DELAYS) - 1)]
            failed = {"tries": tries + 1, "failure": failure[:200], "next_at": now + timedelta(seconds=delay)}
            connection.execute(update(tables.notice_mails).where(*_unmoved(mail)).values(failed))


def _due(now: datetime, latest: int) -> Select[Any]:
    return select(tables.notice_mails).where(
        _rows.choice != MailChoice.NONE.value,
        or_(_rows.next_at.is_(None), _rows.next_at <= now),
        # A day without news passes too: what comes later waits for the next one.
        or_(_rows.position < latest, _rows.choice == MailChoice.DAILY.value),
    )


def _begin_all(view: View, people: Iterable[str], digest_hour: int) -> None:
    with view.reading() as connection:
        known = set(connection.scalars(select(_rows.person)))
    new = [person for person in people if person not in known]
    if new:
        with view.store.database.write() as connection:
            for person in new:
                _begin(connection, person, digest_hour, view.store.clock())


def _begin(connection: Connection, person: str, digest_hour: int, now: datetime) -> None:
    if connection.scalar(select(_rows.person).where(_rows.person == person)) is None:
        begun = {
            "person": person,
            "choice": DEFAULT.value,
            "position": last_sequence(connection),
            "tries": 0,
            "failure": "",
            "next_at": _next_at(DEFAULT, digest_hour, now),
        }
        connection.execute(insert(tables.notice_mails).values(begun))


def _unread(connection: Connection, recipient: Recipient, position: int) -> list[tuple[int, Notice]]:
    found: dict[int, Notice] = {}
    for organisation, roles in recipient.memberships:
        acting = Actor(organisation, roles, recipient.person)
        for number, notice in unread_since(connection, acting, position, IN_ONE_MAIL):
            found.setdefault(number, notice)
    return sorted(found.items(), key=lambda one: one[0])[:IN_ONE_MAIL]


def _unmoved(mail: Mail) -> tuple[ColumnElement[bool], ...]:
    return (_rows.person == mail.person, _rows.position == mail.position)


def _next_at(choice: MailChoice, digest_hour: int, now: datetime) -> datetime | None:
    """Return when the next digest goes out; None: whenever there is something to tell."""
    if choice is not MailChoice.DAILY:
        return None
    today = now.astimezone(UTC).replace(hour=digest_hour, minute=0, second=0, microsecond=0)
    return today if today > now else today + timedelta(days=1)
