"""Notices: news for the caller, and their mail settings."""

from __future__ import annotations

from typing import Annotated

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.api.exchange import MailWish, MarkedNotices, NoticePage
from pilotbase.documents.api.shapes import MOST_LISTED, InAddress, RequestModel
from pilotbase.operations.operation import NoInput, Operation, Repeated


class NoticesAsked(InAddress):
    """What a list is asked for."""

    unread: bool = False
    after: str | None = pydantic.Field(None, max_length=32)
    limit: int = pydantic.Field(50, ge=1, le=MOST_LISTED)


class ReadNotices(RequestModel):
    """Which notices were read; none named: all."""

    notices: list[Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]] | None = pydantic.Field(
        default=None, max_length=200
    )


_OWN = "members, for themselves"
LIST = Operation("notices.list", "GET /notices", NoticesAsked, NoticePage, only=_OWN)
READ = Operation(
    "notices.read",
    "POST /notices/read",
    ReadNotices,
    MarkedNotices,
    only=_OWN,
    repeated=Repeated.HARMLESS,
    example={"notices": ["0c5d7e1a9b3f4826a1d0c7e95b82f364"]},
)
MAIL = Operation("notices.mail", "GET /notices/mail", NoInput, MailWish, only=_OWN)
CHOOSE = Operation(
    "notices.choose",
    "PUT /notices/mail",
    MailWish,
    MailWish,
    only=_OWN,
    repeated=Repeated.HARMLESS,
    example={"mail": "daily"},
)
