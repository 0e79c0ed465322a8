"""The parts that pages are made of: icons, states, notes, what an empty list says, what people write to each other."""

from __future__ import annotations

import re
from functools import cache

from django import template
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from pilotbase.data.quality.page import format_share
from pilotbase.documents.api.sites import ReportTold
from pilotbase.documents.api.trials import Candidate
from pilotbase.documents.catalogues import catalogue
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.matching import Proof
from pilotbase.documents.notice import Notice
from pilotbase.documents.quality import QualityReport, QualityRequirement
from pilotbase.documents.report import Report
from pilotbase.documents.texts import has_text, make_visible, text
from pilotbase.documents.vocabularies import verdict_in_words
from pilotbase.hub.acting import HubRequest, RequestActor, language
from pilotbase.hub.presenters.drawn import DrawnTable, tables_drawn
from pilotbase.hub.presenters.inbox import count_waiting
from pilotbase.hub.presenters.records import title_of
from pilotbase.hub.presenters.states import LOOK
from pilotbase.notices.rows import COUNTED, count_unread
from pilotbase.workspace.store import pulse_of
from pilotbase.workspace.threads import count_threads

register = template.Library()
SIGNS = {
    "demand": "message-square",
    "scenario": "target",
    "application": "package",
    "commission": "flask-conical",
    "dataset": "database",
    "agreement": "scale",
    "organisation": "building-2",
    "service": "server",
}
"""Kind of subject → its icon."""
_LINK = re.compile(r"https?://(?>[A-Za-z0-9.-]+)(?!\w)(?::\d{1,5})?(?:[/?#][!-~]*)?")
_AFTER = ".,;:!?)]}>\"'"
_NOTES = {"": "info", "info": "info", "success": "state-pass", "warning": "state-yellow", "error": "state-red"}
"""Tone of a note → its icon."""


@register.simple_tag
def icon(name: str) -> SafeString:
    """Return an icon of the sprite, hidden from screen readers: the words beside it say the same."""
    return _icon(name)


@cache
def _icon(name: str) -> SafeString:
    kind = "icon state" if name.startswith("state-") else "icon"
    sheet = static("hub/icons.svg")
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>', kind, sheet, name)


@register.filter
def sign(kind: str) -> str:
    """Return the icon of a kind of record."""
    return SIGNS[kind]


def capital(name: str) -> str:
    """Return a word as it stands in a cell or a mark of its own, with a capital letter."""
    return name[:1].upper() + name[1:]


@register.simple_tag
def mark(look: str, name: str) -> SafeString:
    """Return shape, word and colour of a state or a warning."""
    return format_html('<span class="status {}">{}{}</span>', look, _icon(f"state-{look}"), capital(name))


@register.simple_tag
def badge(look: str, code: str) -> SafeString:
    """Return the mark of what text ``code`` names."""
    return mark(look, text(code).render(language()))


@register.simple_tag
def status(vocabulary: str, value: str, look: str = "") -> SafeString:
    """Return the mark of a state; the word is text ``<vocabulary>.<value>``, ``look`` what it looks like if not so."""
    return mark(look or LOOK.get(value, "plan"), text(f"{vocabulary}.{value}").render(language()))


@register.simple_tag
def verdict(of: Report | Certificate | Candidate | Proof | ReportTold) -> SafeString:
    """Return the mark of the verdict of what carries one, with its rider."""
    return mark(LOOK[of.verdict], verdict_in_words(of.verdict, bool(of.approximate)).render(language()))


@register.simple_tag
def required_measure(one: QualityRequirement) -> SafeString:
    """Return the mark of a quality measure that a purpose requires, with its value."""
    code = f"quality.measure.{one.measure}"
    name = text(code).render(language()) if has_text(code) else one.measure
    return mark(LOOK[one.outcome], f"{name} {format_share(one.value)}")


@register.filter
def distributions(report: QualityReport | None) -> list[DrawnTable]:
    """Return the columns of a published report on quality as they are drawn; nothing without one."""
    return tables_drawn(report.profiles, report.least_cell) if report is not None else []


@register.simple_tag
def state(kind: str, value: str) -> SafeString:
    """Return the mark of the state of a record."""
    return status(f"state.{kind}", value)


@register.simple_block_tag
def note(content: str, tone: str = "", role: str = "", identity: str = "") -> SafeString:
    """Return what its reader must know now: ``tone`` is ``success``, ``warning``, ``error``, ``info`` or none."""
    named = format_html(' role="{}"', role) if role else ""
    placed = format_html(' id="{}"', identity) if identity else ""
    parts = (tone, placed, named, _icon(_NOTES[tone]), content)
    return format_html('<div class="note {}"{}{}>{}<div>{}</div></div>', *parts)


@register.simple_block_tag
def fold(content: str, title: str, *, opened: object = None, look: str = "", identity: str = "") -> SafeString:
    """Return a card that is folded under its title until somebody wants it, unless ``opened`` holds something."""
    named = format_html(' id="{}"', identity) if identity else ""
    parts = (look, named, mark_safe(" open") if opened else "", title, content)
    return format_html('<details class="card fold {}"{}{}><summary><h2>{}</h2></summary>{}</details>', *parts)


@register.simple_block_tag
def nothing(content: str, *, code: str, sign: str = "inbox") -> SafeString:
    """Return what stands where there is nothing: text ``<code>``, ``<code>.why`` if there is one, acts that help."""
    known = catalogue(code.partition(".")[0], language())
    why = format_html("<p>{}</p>", known[f"{code}.why"]) if f"{code}.why" in known else ""
    acts = format_html('<div class="buttons">{}</div>', content) if content.strip() else ""
    return format_html('<div class="nothing">{}<strong>{}</strong>{}{}</div>', _icon(sign), known[code], why, acts)


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
def announced(notice: Notice) -> str:
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


@register.simple_tag
def waiting(acting: RequestActor, fresh: bool = False) -> int:
    """Return how many tasks wait in the reader's inbox."""
    return count_waiting(acting, fresh) if acting.organisation and acting.person is not None else 0


@register.simple_tag(takes_context=True)
def live_stream(context: dict[str, HubRequest]) -> str:
    """Return the address of the stream that tells an open page what has changed since it was rendered."""
    found = pulse_of(context["request"].acting.view)
    return f"{reverse('live')}?since={found.change}-{found.notice}"
