"""Notices over the API: what is new for the caller, and how they are told by mail."""

from __future__ import annotations

import pydantic
from ninja import Query, Router

from pilotbase.documents.api.exchange import MailWish, MarkedNotices, NoticePage, ReadNotices, ToldNotice
from pilotbase.documents.api.shapes import InAddress
from pilotbase.documents.notice import Notice
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.api.answers import answers
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.notices.mails import choose_mail, mail_choice
from pilotbase.notices.rows import count_unread, list_notices, mark_read
from pilotbase.workspace.listings import MAXIMUM_PAGE

router = Router(tags=["notices"], auth=MEMBERS)


class NoticesAsked(InAddress):
    """What a list is asked for."""

    unread: bool = False
    after: str | None = pydantic.Field(None, max_length=32)
    limit: int = pydantic.Field(50, ge=1, le=MAXIMUM_PAGE)


@router.get("/notices", response=answers(NoticePage), summary="What is new for me")
def list_all(request: HubRequest, asked: Query[NoticesAsked]) -> NoticePage:
    """Return the caller's notices."""
    view = request.acting.view
    found, after = list_notices(view, asked.unread, asked.after, asked.limit)
    items = [told(notice) for notice in found]
    return NoticePage(items=items, unread=count_unread(view), next=after)


@router.post("/notices/read", response=answers(MarkedNotices), summary="Mark notices as read")
def read(request: HubRequest, chosen: ReadNotices) -> MarkedNotices:
    """Mark notices as read by the caller; doing it again changes nothing."""
    return MarkedNotices(marked=mark_read(request.acting.view, chosen.notices))


@router.get("/notices/mail", response=answers(MailWish), summary="How I am told by mail")
def mail(request: HubRequest) -> MailWish:
    """Return how the caller is told by mail."""
    return MailWish(mail=mail_choice(request.acting.view))


@router.put("/notices/mail", response=answers(MailWish), summary="Choose how I am told by mail")
def choose(request: HubRequest, wish: MailWish) -> MailWish:
    """Let the caller be told by mail in another way, of what comes from now on."""
    choose_mail(request.acting.view, wish.mail)
    return wish


def told(notice: Notice) -> ToldNotice:
    """Return a notice with its sentence in the caller's language."""
    return ToldNotice(**dict(notice), said=notice.sentence.render(language()))
