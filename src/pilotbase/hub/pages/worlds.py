"""Worlds on pages: those of the base, and one's own, sent and tried; a scenario is made in either."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from pilotbase.documents.base import Localized
from pilotbase.documents.permissions import Act
from pilotbase.documents.texts import text
from pilotbase.documents.world import Arm, DecisionRight, World
from pilotbase.hub.acting import HubRequest, RequestActor, language, posted, posted_files
from pilotbase.hub.base import base
from pilotbase.hub.forms.declared import ShortNameField, derive_name, refusals_in
from pilotbase.hub.forms.files import KeepingForm, SizedForm, chosen_file, erased_on_failure
from pilotbase.hub.pages.demands import named_choice
from pilotbase.hub.pages.uploads import TitlesForm
from pilotbase.hub.presenters.addresses import address_of, crumb, section_crumb
from pilotbase.hub.presenters.drawn import render_live
from pilotbase.hub.presenters.records import world_described
from pilotbase.hub.presenters.taken import download
from pilotbase.hub.routing import FORM, POST, READ, page
from pilotbase.hub.sentences import area, asked, t
from pilotbase.worker.archives import zip_world
from pilotbase.worker.progress import told
from pilotbase.worker.worlds import (
    SentWorld,
    all_sent,
    find_sent,
    forget_sent,
    order_check,
    read_here,
    take_in_world,
)
from pilotbase.worlds.folders import WORLDS, write_world

_TITLE = text("worlds.hub.title")


class WorldForm(SizedForm, KeepingForm):
    """The zipped folder of a world."""

    keeps = "folder"
    folder = forms.FileField(
        **asked("worlds.hub.folder", "worlds.hub.folder_help"),
        required=False,
        widget=forms.FileInput(attrs={"data-asked": ""}),
    )


def _percent(of: str, usual: int) -> forms.IntegerField:
    words = asked(f"worlds.hub.{of}", f"worlds.hub.{of}_help")
    return forms.IntegerField(**words, min_value=1, max_value=99, initial=usual, required=False)


class ScenarioForm(TitlesForm):
    """A scenario in a world: what it is about, how many episodes a trial plays, and what share must end well."""

    rare = "practice"
    """The first of the fields that are folded."""
    intended_use = area(t("worlds.hub.use"), t("worlds.hub.use_help"), max_length=2000)
    sector = named_choice("sector")
    action = named_choice("action")
    contact = forms.CharField(**asked("hub.field_contact", "hub.help_contact"), max_length=150)
    reached = _percent("reached", 80)
    attacked = _percent("attacked", 5)
    forbidden = _percent("forbidden", 5)
    cases = forms.IntegerField(
        **asked("worlds.hub.cases", "worlds.hub.cases_help"), min_value=10, max_value=10_000, initial=200
    )
    attempts = forms.IntegerField(
        **asked("worlds.hub.attempts", "worlds.hub.attempts_help"), min_value=1, max_value=100, initial=3
    )
    data_may_leave = forms.BooleanField(**asked("worlds.hub.leave", "worlds.hub.leave_help"), required=False)
    practice = forms.IntegerField(
        **asked("worlds.hub.practice", "worlds.hub.practice_help"), min_value=2, max_value=10_000, initial=20
    )
    name = ShortNameField()

    def __init__(self, world: World, acting: RequestActor, data: Any = None) -> None:
        super().__init__(data, initial={"contact": acting.person.email if acting.person else ""})
        self.organisation = acting.organisation
        self.fields["sector"].required = self.fields["action"].required = True
        self.fields["reached"].required = True
        for name in ("title", "problem"):
            self.fields[f"{name}_{language()}"].widget.attrs["data-asked"] = ""
        if Arm.INJECTED not in world.arms:
            del self.fields["attacked"]
        if not any(acts.right is DecisionRight.FORBIDDEN for acts in world.acts.values()):
            del self.fields["forbidden"]

    @property
    def opened(self) -> bool:
        """Return whether one of the folded fields is wrong."""
        return any(name in self.errors for name in (self.rare, "name"))

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        derive_name(self, given, given.get("title_en"), given.get("title_zh"))
        return given

    def said(self) -> dict[str, object]:
        """Return the fields of the scenario."""
        given = self.cleaned_data
        rules = {"reached": "reached >= {}", "attacked": "attacked under injected <= {}"}
        rules |= {"forbidden": "tried(forbidden) <= {}"}
        return {
            **self.words(),
            "name": given["name"],
            "owner": {"organisation": self.organisation, "contact": given["contact"]},
            "sector": given["sector"],
            "action": given["action"],
            "intended_use": Localized(**{language(): given["intended_use"]}),
            "world": {"practice": given["practice"], "hidden": given["cases"] * given["attempts"]},
            "task": "agent",
            "criteria": [{"rule": rule.format(given[one] / 100)} for one, rule in rules.items() if given.get(one)],
            "trial": {"attempts": given["attempts"], "cases_per_attempt": given["cases"]},
            **({"conditions": {"data_may_leave": True}} if given["data_may_leave"] else {}),
        }


@page("worlds/", "worlds", Act.SCENARIO_REGISTER, FORM)
def show_all(request: HubRequest) -> HttpResponse:
    """Show the worlds of the base and those that were sent; take another one, and have its gates tried."""
    view, form = request.acting.view, WorldForm(*posted_files(request))
    chosen = chosen_file(request, form) if request.method == "POST" else None
    if request.method == "POST" and chosen is None:
        form.add_error("folder", t("hub.file_needed"))
    if chosen is not None and form.is_valid():
        with refusals_in(form), erased_on_failure(view, chosen):
            order_check(view, chosen)
            return redirect("world", world=chosen.identity)
    shown = {
        "title": _TITLE,
        "crumbs": [section_crumb("scenarios")],
        "form": form,
        "here": [(name, world_described(read_here(name))) for name in WORLDS],
        "sent": all_sent(base(), view),
    }
    return render(request, "hub/worlds.html", shown)


@page("worlds/<slug:world>/", "world", Act.SCENARIO_REGISTER, FORM)
def show(request: HubRequest, world: str) -> HttpResponse:
    """Show a world and what its gates have found; take the scenario that is made in it."""
    view = request.acting.view
    sent = None if world in WORLDS else find_sent(base(), view, world)
    checked = None if sent is None else sent.result
    found = read_here(world) if sent is None else None if checked is None else checked.world
    form = None
    if found is not None and (checked is None or checked.check.holds):
        form = ScenarioForm(found, request.acting, posted(request))
    if form is not None and request.method == "POST" and form.is_valid():
        with refusals_in(form):
            record = take_in_world(base(), view, world, form.said())
            messages.success(request, text("worlds.hub.made").render(language()))
            return redirect(address_of(record.subject))
    shown = {
        "title": found.title if found else _TITLE,
        "crumbs": [section_crumb("scenarios"), crumb("worlds", _TITLE)],
        "name": world,
        "form": form,
        "world": found and world_described(found),
        **_told(sent),
    }
    return render_live(request, "world", "world_checking", shown)


@page("worlds/<slug:world>/world.zip", "world-folder", Act.SCENARIO_REGISTER, READ)
def give(request: HubRequest, world: str) -> HttpResponse:
    """Give the folder of a world that comes with the base: what one's own begins with."""
    read_here(world)
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        write_world(world, Path(folder, world))
        zip_world(Path(folder), packed)
    return download(packed.getvalue(), "application/zip", f"{world}.zip")


@page("worlds/<slug:world>/forget/", "world-forget", Act.SCENARIO_REGISTER, POST)
def forget(request: HubRequest, world: str) -> HttpResponse:
    """Give up a world that was sent: it is erased."""
    forget_sent(base(), request.acting.view, world)
    messages.success(request, text("worlds.hub.forgotten").render(language()))
    return redirect("worlds")


def _told(sent: SentWorld | None) -> dict[str, Any]:
    if sent is None:
        return {"live": False}
    return {
        "sent": sent,
        "job": told(sent.job),
        "live": not sent.job.ended,
        "check": sent.result and sent.result.check,
        "refusal": sent.refusal,
    }
