"""Notices as people read them: organisations by their titles, in the reader's language."""

from __future__ import annotations

from pilotbase.documents.notice import Notice
from pilotbase.hub.presenters.organisations import title_of


def with_titles(notice: Notice) -> Notice:
    """Return ``notice`` with the title of the organisation that did it in the place of its short name."""
    body = notice.body.model_copy(update={"organisation": title_of(notice.body.organisation)})
    return notice.model_copy(update={"body": body})
