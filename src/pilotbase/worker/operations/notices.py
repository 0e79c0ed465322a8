"""Notices, and mail settings."""

from __future__ import annotations

from pilotbase.documents.api.exchange import MailWish, MarkedNotices, NoticePage, ToldNotice
from pilotbase.documents.notice import Notice
from pilotbase.notices.mails import choose_mail, mail_choice
from pilotbase.notices.rows import count_unread, list_notices, mark_read
from pilotbase.operations import notices as declared
from pilotbase.worker.operations.binding import Caller, does

does(declared.READ)(lambda caller, asked: MarkedNotices(marked=mark_read(caller.view, asked.notices)))
does(declared.MAIL)(lambda caller, asked: MailWish(mail=mail_choice(caller.view)))


@does(declared.LIST)
def list_all(caller: Caller, asked: declared.NoticesAsked) -> NoticePage:
    """List the caller's notices."""
    found, after = list_notices(caller.view, asked.unread, asked.after, asked.limit)
    return NoticePage(items=[told(caller, one) for one in found], unread=count_unread(caller.view), next=after)


@does(declared.CHOOSE)
def choose(caller: Caller, asked: MailWish) -> MailWish:
    """Change the caller's mail settings for later notices."""
    choose_mail(caller.view, asked.mail)
    return asked


def told(caller: Caller, notice: Notice) -> ToldNotice:
    """Return a notice with its sentence in the caller's language."""
    return ToldNotice(**dict(notice), said=notice.sentence.render(caller.language))
