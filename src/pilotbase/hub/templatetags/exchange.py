"""Tags of threads and notices: plain text with its links, how many threads and unread notices there are."""

from __future__ import annotations

import re

from django import template
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from pilotbase.documents.notice import Notice
from pilotbase.documents.visible_text import make_visible
from pilotbase.hub.acting import RequestActor, language
from pilotbase.hub.presenters.records import title_of
from pilotbase.notices.rows import COUNTED, count_unread
from pilotbase.workspace.threads import count_threads

register = template.Library()
_LINK = re.compile(r"https?://(?>[A-Za-z0-9.-]+)(?!\w)(?::\d{1,5})?(?:[/?#][!-~]*)?")
_AFTER = ".,;:!?)]}>\"'"


@register.filter
def linked(words: str) -> SafeString:
    """Return plain text, escaped, in which addresses of http and https are links that carry nothing of ours along.

    An address is ASCII: what looks like another host in letters of another script stays text.
    """
    visible, shown, end = make_visible(words), [], 0
    for found in _LINK.finditer(visible):
        address = found[0].rstrip(_AFTER)
        shown.append(escape(visible[end : found.start()]))
        shown.append(format_html('<a href="{0}" rel="nofollow noopener noreferrer ugc">{0}</a>', address))
        end = found.start() + len(address)
    shown.append(escape(visible[end:]))
    return mark_safe("".join(shown))  # noqa: S308 - every piece was escaped


@register.filter
def told(notice: Notice) -> str:
    """Return what happened, in a sentence of the reader's language."""
    body = notice.body.model_copy(update={"organisation": title_of(notice.body.organisation)})
    return notice.model_copy(update={"body": body}).sentence.render(language(), make_visible)


@register.simple_tag
def threads_about(acting: RequestActor, subject: str) -> int:
    """Return how many threads about a record the reader sees."""
    return count_threads(acting.view, subject)


@register.simple_tag
def unread(acting: RequestActor) -> str:
    """Return how many notices the reader has not read; nothing for none."""
    count = count_unread(acting.view) if acting.organisation else 0
    return "" if not count else str(count) if count < COUNTED else f"{COUNTED - 1}+"
