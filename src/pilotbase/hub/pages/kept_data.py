"""What an owner can see of data that the base keeps: which files, until when, and who has read them."""

from __future__ import annotations

import re
from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode

from pilotbase.documents.api.datasets import ReaderFacet
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.base import base
from pilotbase.hub.presenters.addresses import facet_shown, record_crumbs, subject_of
from pilotbase.hub.presenters.records import see
from pilotbase.hub.routing import FORM, page
from pilotbase.vault.readers import readers_of
from pilotbase.worker.jobs.retention import erase_kept_files, kept_files


@page("scenarios/<name:name>/files/", "kept-files", methods=FORM)
def show_kept(request: HubRequest, name: str) -> HttpResponse:
    """Show the files that are kept; erase them all when asked to."""
    view, subject = request.acting.view, subject_of("scenarios", name)
    if request.method == "POST":
        count = erase_kept_files(base(), view, subject)
        messages.success(request, text("kept.erased", count=count).render(language()))
        return redirect("kept-files", name=name)
    days = timedelta(days=settings.CONFIGURATION.files_days)
    kept = kept_files(base(), view, subject)
    found = [(files, stored.stored_at, stored.stored_at + days) for stored, files in kept]
    shown = {"title": text("kept.title"), "kept": found, "name": name, "crumbs": record_crumbs(subject, name)}
    return render(request, "hub/kept_files.html", shown)


_LONGEST, _NUMBER = 120, re.compile(r"[0-9]{1,18}")


@page("<section:section>/<name:name>/readers/", "readers")
def show_readers(request: HubRequest, section: str, name: str) -> HttpResponse:
    """Show who has read it to its owner, the operator and the regulator; for everybody else there is no such page."""
    subject, view = subject_of(section, name), request.acting.view
    asked = {facet: request.GET.get(facet, "")[:_LONGEST] for facet in ReaderFacet}
    before = request.GET.get("before", "")
    found = readers_of(view, subject, asked, int(before) if _NUMBER.fullmatch(before) else None)
    chosen = {facet.value: value for facet, value in asked.items() if value}
    shown = {
        "title": text("reader.title"),
        "found": found,
        "facets": [facet_shown(facet, found.facets[facet], chosen) for facet in ReaderFacet],
        "next": urlencode({**chosen, "before": str(found.next)}) if found.next is not None else "",
        "newest": urlencode(chosen) if before else "",
        "asked": bool(chosen),
        "crumbs": record_crumbs(subject, see(view, subject).title),
    }
    return render(request, "hub/readers.html", shown)
