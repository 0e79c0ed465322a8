"""The log of the base as a page: who did what when, filtered, and as a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from django import forms
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.http import urlencode

from pilotbase.documents.api.people import AuditEntry
from pilotbase.documents.api.shapes import MOST_LISTED
from pilotbase.documents.base import NAME, Localized
from pilotbase.documents.files import format_csv, format_rows
from pilotbase.documents.moments import format_second
from pilotbase.documents.permissions import ReadScope
from pilotbase.documents.subjects import kind_of, name_of
from pilotbase.documents.texts import Language, Text, text
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.forms.declared import DayField, do
from pilotbase.hub.models import Person
from pilotbase.hub.presenters.addresses import KINDS, address_of
from pilotbase.hub.presenters.records import titles_of
from pilotbase.hub.presenters.taken import streamed_csv
from pilotbase.hub.routing import page
from pilotbase.hub.sentences import t
from pilotbase.operations.people import AUDIT
from pilotbase.workspace.store import View

PAGE, EXPORTED = 50, 100_000
"""Lines of a page, and about so many of a file at most."""
_RECORD = re.compile(rf"(?:{'|'.join(KINDS.values())}|service|watch):{NAME}(?:/{NAME})?|incident:\d+")
"""What a line names that has a page."""
_COLUMNS = ("number", "at", "organisation", "roles", "person", "done", "action", "subjects", "facts")


class AuditForm(forms.Form):
    """Which lines are looked for."""

    person = forms.CharField(label=t("people.audit_person"), required=False, max_length=254)
    organisation = forms.CharField(label=t("hub.field_organisation"), required=False, max_length=63)
    action = forms.CharField(label=t("people.audit_action"), required=False, max_length=80)
    subject = forms.CharField(label=t("people.audit_subject"), required=False, max_length=200)
    since = DayField(label=t("people.audit_since"), required=False)
    until = DayField(label=t("people.audit_until"), required=False)

    def wanted(self) -> dict[str, Any]:
        """Return the input of the operation; a day that ends counts whole, a person may be named by address."""
        said = {name: value for name, value in self.cleaned_data.items() if value}
        if "person" in said:
            found = Person.objects.filter(email__iexact=said["person"]).first()
            said["person"] = (found.identity if found is not None else said["person"])[:63]
        if "since" in said:
            said["since"] = f"{said['since']}T00:00:00Z"
        if "until" in said:
            end = datetime.fromisoformat(f"{said['until']}T00:00:00+00:00") + timedelta(days=1)
            said["until"] = end.isoformat().replace("+00:00", "Z")
        return said


@page("audit/", "audit", ReadScope.AUDIT)
def show(request: HubRequest) -> HttpResponse:
    """Show the newest lines of the log that are looked for."""
    form = AuditForm(request.GET)
    before, rows, more = request.GET.get("before", ""), list[AuditEntry](), None
    if form.is_valid():
        said = {**form.wanted(), "limit": PAGE, **({"before": int(before)} if before.isdecimal() else {})}
        found = do(AUDIT, request.acting.view, said)
        rows, more = found.items, found.next
    kept = {name: str(value) for name, value in request.GET.items() if name != "before" and value}
    shown = {
        "title": text("people.audit"),
        "form": form,
        "rows": _linked(request.acting.view, rows),
        "people": _names(rows),
        "narrowed": bool(kept),
        "kept": urlencode(kept),
        "next": urlencode({**kept, "before": str(more)}) if more is not None else "",
    }
    return render(request, "hub/audit.html", shown)


@page("audit/audit.csv", "audit-csv", ReadScope.AUDIT)
def export(request: HubRequest) -> StreamingHttpResponse:
    """Give the lines that are looked for as a file, newest first, so many at most; each page is sent as it is read."""
    form, reader = AuditForm(request.GET), language()
    header = [text(f"people.audit_column.{name}").render(reader) for name in _COLUMNS]
    pages = _all(request.acting.view, form.wanted()) if form.is_valid() else ()
    pieces = (format_rows(_cells(one, reader) for one in rows) for rows in pages if rows)
    return streamed_csv(chain([format_csv(header, [])], pieces), "audit.csv")


def _all(view: View, wanted: dict[str, Any]) -> Iterator[list[AuditEntry]]:
    """Yield the lines that are looked for, page by page."""
    given, before = 0, None
    while given < EXPORTED:
        said = {**wanted, "limit": MOST_LISTED}
        found = do(AUDIT, view, {**said, **({"before": before} if before is not None else {})})
        yield found.items
        given, before = given + len(found.items), found.next
        if before is None:
            return


def _cells(one: AuditEntry, reader: Language) -> list[str]:
    done = one.done.render(reader) if isinstance(one.done, Text) else ""
    facts = "; ".join(f"{name}={value}" for name, value in sorted(one.facts.items()))
    whole = (str(one.number), format_second(one.at), one.organisation, " ".join(one.roles), one.person or "")
    return [*whole, done, one.action, " ".join(one.subjects), facts]


def _linked(view: View, rows: list[AuditEntry]) -> list[tuple[AuditEntry, list[tuple[Localized | Text | str, str]]]]:
    """Return each line with the titles of the records that it is about, and the paths of their pages."""
    about = [list(_records_of(one)) for one in rows]
    titles = titles_of(view, chain.from_iterable(about))
    return [
        (one, [(titles.get(subject) or _named(subject), address_of(subject)) for subject in subjects])
        for one, subjects in zip(rows, about, strict=True)
    ]


def _named(subject: str) -> Text | str:
    name = name_of(subject)
    return text("incident.numbered", number=name) if kind_of(subject) == "incident" else name


def _records_of(one: AuditEntry) -> Iterator[str]:
    named = (*one.subjects, *(fact.partition(" ")[2] for fact in one.facts))
    for subject in dict.fromkeys(name.removeprefix("record:") for name in named):
        if _RECORD.fullmatch(subject):
            yield subject


def _names(rows: Iterable[AuditEntry]) -> dict[str, str]:
    known = {one.person for one in rows} | {str(one.facts.get("person", "")) for one in rows}
    return dict(Person.objects.filter(identity__in=known - {None, ""}).values_list("identity", "name"))
