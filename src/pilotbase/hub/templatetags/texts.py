"""``{% t "hub.x" %}`` and filters: our own sentences and what strangers wrote, in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from pilotbase.documents.api.records import SECTIONS
from pilotbase.documents.application import form_in_words
from pilotbase.documents.base import Localized, localized
from pilotbase.documents.certificate import spoken_reason
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import hex_of, is_digest
from pilotbase.documents.moments import format_day, format_minute, format_second
from pilotbase.documents.subjects import name_of
from pilotbase.documents.terms import term_name
from pilotbase.documents.texts import Text, has_text, make_visible, percent, sentence, text
from pilotbase.documents.vocabularies import Signal
from pilotbase.hub.acting import RequestActor, language
from pilotbase.hub.base import base
from pilotbase.hub.presenters.addresses import address_of, kit_address
from pilotbase.hub.presenters.records import title_of, titles_of
from pilotbase.hub.sentences import approval_kind
from pilotbase.hub.templatetags.ui import capital
from pilotbase.trial.page import required_by
from pilotbase.trial.page.wording import ReportWording

register = template.Library()
register.filter("approval_kind", approval_kind)
register.filter("spoken", spoken_reason)
register.filter("required_by", required_by)
register.filter("form_in_words", form_in_words)
register.filter("address", address_of)
register.filter("kit_address", kit_address)
register.filter("section", lambda kind: SECTIONS[kind])
register.filter("state_of", lambda kind: f"state.{kind}")
register.filter("rest", name_of)
_DRAWN = re.compile(r"[0-9a-f]{16}(?:[0-9a-f]{16})?|[0-9a-f]{64}")
"""Names drawn by chance, which tell nobody anything."""
register.filter("hex", hex_of)
register.filter("percent", lambda share: percent(share).render(language()))
register.filter("minute", format_minute)
register.filter("words", lambda listed: listed.split())
register.filter("called_here", lambda operation: operation.said(language()))
_SHOWN_DIGITS = 12
_ORGANISATIONS = {"reviewer", "one", "other"}
_HOUR = timedelta(hours=1)


@register.simple_tag
def t(code: str, **params: object) -> str:
    """Return a sentence of our catalogue; escaped by the engine as everything is."""
    return text(code, **params).render(language(), make_visible)


@register.simple_tag
def word(vocabulary: str, value: str) -> str:
    """Return the name of a value of a vocabulary, such as ``word "sector" scenario.sector``, as it stands alone."""
    return capital(text(f"{vocabulary}.{value}").render(language()))


@register.filter
def term(value: str) -> SafeString:
    """Return a word of terms of use, such as ``pb:verification``, by what it is called, with its name; else its name.

    An offer may name words of other vocabularies, of which we know no name in the reader's language.
    """
    name = term_name(value)
    if name is None:
        return format_html("<code>{}</code>", make_visible(value))
    return format_html('<span title="{}">{}</span>', value, name.render(language()))


@register.filter
def said(sentence: Any) -> str:
    """Return what a person or the software said, in the reader's language, with nothing hidden in it."""
    if isinstance(sentence, Text):
        return sentence.render(language(), make_visible)
    if isinstance(sentence, Localized | str) or sentence is None:
        return make_visible(localized(sentence, language()))
    return make_visible(str(sentence))


@register.filter
def told(text_of_ours: Text) -> str:
    """Return a text that stands by itself, such as what an error says: with a capital and a full stop."""
    return sentence(text_of_ours, language(), make_visible)


@register.filter
def organisation(name: str | None) -> str:
    """Return what an organisation is called."""
    return title_of(name or "")


@register.simple_tag(takes_context=True)
def called(context: dict[str, RequestActor], subject: str) -> str:
    """Return what a record is called that the reader sees, else its name; for single records, not for long lists."""
    return said(titles_of(context["acting"].view, [subject]).get(subject, name_of(subject)))


@register.filter
def chosen(subject: str) -> str:
    """Return the name that people gave a record; nothing for one that was drawn by chance."""
    name = name_of(subject)
    return "" if _DRAWN.fullmatch(name) else name


@register.filter
def in_words(rule: str) -> str:
    """Return an acceptance criterion in words, such as *Recall of “failure” at least 0.800*; else as it is spelled."""
    try:
        return make_visible(ReportWording(language()).spoken_rule(rule))
    except InputError:
        return make_visible(rule)


@register.filter
def in_words_for(reason: Text) -> str:
    """Return a reason of a verdict, with the criterion that it is about in words."""
    rule = reason.params.get("rule")
    named = {} if rule is None else {"rule": in_words(str(rule))}
    return said(Text(code=reason.code, params={**reason.params, **named}))


@register.filter
def detected(detector: str) -> str:
    """Return what a detector watches, such as *Drift of the inputs: weight*, or the criterion that it bets against."""
    signal, _, of = detector.partition(":")
    if signal == Signal.RISK:
        return in_words(of)
    name = f"signal.{signal}"
    said = capital(text(name).render(language())) if has_text(name) else make_visible(signal)
    return text("hub.within", section=said, what=make_visible(of)).render(language()) if of else said


@register.filter
def unmeasured(check: str) -> str:
    """Return in words what a certificate says was not measured, such as ``function: robustness`` or ``production``."""
    section, _, name = check.partition(": ")
    title = text(f"verification.{section}")
    if not name:
        return title.render(language())
    kind, _, of = name.partition(": ")
    codes = (f"trial.unmeasured.{kind}", f"trial.finding.no_{name}")
    code = next((one for one in codes if has_text(one)), None)
    what = in_words(name) if code is None else text(code, name=of)
    return text("hub.within", section=title, what=what).render(language())


@register.filter
def titled(remark: Text) -> Text:
    """Return a remark of a certificate with the titles of the organisations that it names by their short names."""
    named = {name: title_of(str(remark.params[name])) for name in _ORGANISATIONS & remark.params.keys()}
    return remark.model_copy(update={"params": remark.params | named})


@register.filter
def named(people: dict[str, str], identity: str | None) -> str:
    """Return the name of a person, or nothing where it is not to be shown."""
    return make_visible(people.get(identity or "", ""))


@register.filter
def initials(name: str) -> str:
    """Return the letters that stand for a person: those of the first two words, of a Chinese name the last two."""
    words = name.replace(",", " ").split()
    if len(words) > 1:
        return (words[0][:1] + words[1][:1]).upper()
    return name[-2:] if name[:1] > "\u2e80" else name[:2].upper()


@register.filter
def number(value: float) -> str:
    """Return a number with its thousands set apart and no digits that say nothing."""
    return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"


@register.filter
def tenths(share: float) -> int:
    """Return how many tenths of a meter a share fills."""
    return min(10, max(0, round(10 * share)))


@register.filter
def money(amount: str) -> str:
    """Return an amount of money with its thousands set apart."""
    return f"{Decimal(amount):,}"


@register.filter
def short(digest: str) -> str:
    """Return a digest in few letters."""
    value = digest.partition(":")[2] or digest
    return f"{value[:_SHOWN_DIGITS]}…"


@register.filter
def moment(when: object, seconds: bool = False) -> SafeString | str:
    """Return a time as ISO date and minute, with ``seconds`` to the second, in UTC."""
    if not isinstance(when, datetime):
        return "–"
    shown = format_second(when) if seconds else format_minute(when)
    return format_html('<time datetime="{}">{}</time>', when.isoformat(), shown)


@register.simple_tag
def close_together(rows: Iterable[object], *names: str) -> bool:
    """Return whether the times of a table lie within one hour, so that minutes alone would not tell them apart."""
    found = [attrgetter(name)(row) for row in rows for name in names]
    times = [one for one in found if isinstance(one, datetime)]
    return len(times) > 1 and max(times) - min(times) < _HOUR


@register.filter
def day(when: object) -> SafeString | str:
    """Return the day of a time."""
    if not isinstance(when, datetime):
        return "–"
    return format_html('<time datetime="{}">{}</time>', when.isoformat(), format_day(when))


@register.filter
def is_soon(due: object) -> bool:
    """Return whether something is due within a day."""
    return isinstance(due, datetime) and due - base().lab.store.clock() < timedelta(days=1)


@register.filter
def days_left(due: object) -> str:
    """Return in how many days something is due, or how late it is."""
    if not isinstance(due, datetime):
        return ""
    days = (due.date() - base().lab.store.clock().date()).days
    if days == 0:
        return t("hub.due_today")
    return t("hub.days_left" if days > 0 else "hub.days_over", count=abs(days))


@register.filter
def alone(label: Text) -> str:
    """Return a label of ours as it stands by itself."""
    return capital(label.render(language()))


@register.filter("is_digest")
def _is_digest(value: object) -> bool:
    return isinstance(value, str) and is_digest(value)


@register.filter
def dashed(name: str) -> str:
    """Return a name as addresses hold it: ``open-source`` of ``open_source``."""
    return name.replace("_", "-")


@register.filter
def of(table: dict[str, Any], name: str) -> Any:
    """Return the entry of a table whose name comes at run time."""
    return table.get(name, "")
