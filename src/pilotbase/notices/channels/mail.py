"""Mail to a person, in their language: one notice, or several in one mail."""

from __future__ import annotations

from pilotbase.documents.notice import Letter
from pilotbase.documents.texts import Text, make_visible, text
from pilotbase.notices.channel import Carriers, NoticeChannel, Parcel, RenderedNotice, SendResult, line_of
from pilotbase.workspace.work import Retry

_SUBJECT = 200


def send(parcel: Parcel, carriers: Carriers) -> SendResult:
    """Mail a parcel, with the same message ID on every try."""
    assert carriers.post is not None
    lines = [line_of(notice, parcel) for notice in parcel.notices]
    letter = Letter(parcel.address, _subject(lines, parcel), _body(lines, parcel), parcel.identity)
    try:
        carriers.post.send(letter)
    except OSError as error:
        return SendResult(False, text("notice.mail_not_out", error=type(error).__name__))
    return SendResult(True, Text(code="notice.delivery.delivered"))


def _subject(lines: list[RenderedNotice], parcel: Parcel) -> str:
    subject = text("notice.mail_subject_many", count=len(lines))
    if len(lines) == 1:
        subject = text("notice.mail_subject_one", sentence=lines[0].sentence, title=lines[0].title)
    return " ".join(subject.render(parcel.language, make_visible).split())[:_SUBJECT]


def _body(lines: list[RenderedNotice], parcel: Parcel) -> str:
    told = [text("notice.mail_begins").render(parcel.language), ""]
    for line in lines:
        told += [line.title, f"  {line.sentence}", f"  {line.link}", ""]
    choose = text("notice.mail_ends", link=f"{parcel.sender.url}/notices/mail/")
    return "\n".join([*told, choose.render(parcel.language)])


CHANNEL = NoticeChannel("mail", send, retry=Retry((60, 300, 1800, 7200, 21_600), forever=True))
