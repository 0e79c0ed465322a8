"""Rooms of matches, as pages: what has happened, what waits for the reader, and a form for each thing to add."""

from __future__ import annotations

from collections.abc import Mapping

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render

from pilotbase.documents.api.exchange import RoomTold
from pilotbase.documents.base import Localized
from pilotbase.documents.permissions import ExchangeAct
from pilotbase.documents.room import LONGEST_TERMS
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest, language, posted_files
from pilotbase.hub.forms.declared import Choices, OperationForm, do, form_of, post_of, refusals_in, tell
from pilotbase.hub.presenters.addresses import crumb
from pilotbase.hub.presenters.records import names_shown, title_of, titles_of
from pilotbase.hub.presenters.taken import file_response
from pilotbase.hub.routing import FORM, page
from pilotbase.hub.sentences import area, t
from pilotbase.operations import rooms
from pilotbase.workspace.store import View


class _Share(OperationForm):
    """A file with its terms."""

    operation = rooms.SHARE
    terms = area(t("ask.rooms.share.terms"), t("ask.rooms.share.terms.help"), max_length=LONGEST_TERMS)
    content = forms.FileField(label=t("ask.rooms.share.content"))

    def clean_content(self) -> UploadedFile[bytes]:
        file: UploadedFile[bytes] = self.cleaned_data["content"]
        limit = settings.CONFIGURATION.attachment_bytes
        if (file.size or 0) > limit:
            raise forms.ValidationError(text("thread.file_too_large", allowed=limit).render(language()))
        return file

    def done(self, view: View) -> bool:
        if self.is_valid():
            file = self.cleaned_data["content"]
            asked = {**self._given, "name": file.name, "terms": self.cleaned_data["terms"], "content": file.read()}
            with refusals_in(self):
                self.found = do(self.operation, view, asked)
        return self.is_valid()


OpenForm = form_of(rooms.OPEN, "words")
FORMS: Mapping[str, type[OperationForm]] = {
    "question": form_of(rooms.ASK, "words"),
    "file": _Share,
    "minutes": form_of(rooms.MINUTES, "day", "words"),
    "decision": form_of(rooms.DECIDE, "words"),
    "step": form_of(rooms.STEP, "words", "who", "due"),
    "end": form_of(rooms.END, "outcome", "reason", words={"outcome": "room.outcome."}),
}
"""What may be added to a room → its form."""
_FORMS = {**FORMS, "answer": form_of(rooms.ANSWER, "words")}


@page("rooms/", "rooms")
def show_all(request: HubRequest) -> HttpResponse:
    """List the rooms that the reader sees."""
    found = do(rooms.LIST, request.acting.view, {})
    shown = {
        "title": text("room.title"),
        "lead": text("room.lead"),
        "rooms": found,
        "titles": _titles(request.acting.view, found),
    }
    return render(request, "hub/rooms.html", shown)


@page("rooms/new/", "room-new", ExchangeAct.ROOM_OPEN, FORM)
def propose(request: HubRequest) -> HttpResponse:
    """Propose a room for a match."""
    given = {name: request.GET.get(name, "") for name in ("demand", "application")}
    if not all(given.values()):
        return redirect("matching")
    form = OpenForm(posted_files(request)[0], given=given)
    if form.done(request.acting.view):
        tell(request, form.operation)
        return redirect("room", room=form.found.identity)
    titles = titles_of(request.acting.view, given.values())
    both = {side: _title(titles, subject) for side, subject in given.items()}
    shown = {"title": text("room.new"), "form": form, "lead": text("room.new_lead", **both)}
    return render(request, "hub/said.html", {**shown, "crumbs": [crumb("rooms", text("room.title"))]})


@page("rooms/<drawn:room>/", "room", methods=FORM)
def show(request: HubRequest, room: str) -> HttpResponse:
    """Show a room; add to it what one of its forms says."""
    view = request.acting.view
    found, adding = do(rooms.SHOW, view, {"room": room}), request.POST.get("add", "")
    offered = _forms(request, found)
    form = offered.get(f"{adding} {request.POST.get('number', '')}".strip())
    if form is not None and form.done(view):
        tell(request, form.operation)
        return redirect("room", room=room)
    titles = _titles(view, [found])
    replied = {one.about for one in found.entries if one.about is not None}
    shown = {
        "title": text("room.one", demand=_title(titles, found.demand), application=_title(titles, found.application)),
        "room": found,
        "titles": titles,
        "forms": {name: one for name, one in offered.items() if name in FORMS},
        "adding": adding,
        "entries": [
            (one, _is_open_to(request, found, one.number), offered.get(f"answer {one.number}")) for one in found.entries
        ],
        "replied": replied,
        "awaits": {number: act for act, number in found.awaits},
        "people": names_shown(request.acting.actor, [(one.organisation, one.person) for one in found.entries]),
        "side": request.acting.organisation in (found.owner, found.supplier),
        "crumbs": [crumb("rooms", text("room.title"))],
    }
    return render(request, "hub/room.html", shown)


@page("rooms/<drawn:room>/files/<int:number>/", "room-file")
def file(request: HubRequest, room: str, number: int) -> StreamingHttpResponse:
    """Give a file whose terms the reader's side has accepted, to be saved and never shown."""
    return file_response(do(rooms.FILE, request.acting.view, {"room": room, "number": number}))


post_of("rooms/<drawn:room>/agree/", "room-agree", rooms.AGREE, "room", back=("room",), room="room")
for _part, _operation in (("accept", rooms.ACCEPT), ("confirm", rooms.CONFIRM), ("done", rooms.DONE)):
    post_of(
        f"rooms/<drawn:room>/<int:number>/{_part}/",
        f"room-{_part}",
        _operation,
        "room",
        back=("room",),
        room="room",
        number="number",
    )


def _forms(request: HubRequest, found: RoomTold) -> dict[str, OperationForm]:
    """Return the forms of what the reader may add now; an answer is to a question, by its number."""
    if found.state == "ended" or request.acting.organisation not in (found.owner, found.supplier):
        return {}
    adding = f"{request.POST.get('add', '')} {request.POST.get('number', '')}".strip()
    questions = [f"answer {number}" for act, number in found.awaits if act == "answer"]
    made = {}
    for name in (*FORMS, *questions) if found.state == "open" else ("end",):
        kind, _, number = name.partition(" ")
        sent, files = posted_files(request) if name == adding else (None, None)
        sides: Choices = [(one, title_of(one)) for one in (found.owner, found.supplier)]
        made[name] = _FORMS[kind](
            sent,
            files=files,
            given={"room": found.identity, **({"number": int(number)} if number else {})},
            choices={"who": sides} if kind == "step" else None,
        )
        made[name].auto_id = f"id_{kind}{number}_%s"
    return made


def _is_open_to(request: HubRequest, found: RoomTold, number: int) -> bool:
    """Return whether the reader's side may open the file with this number."""
    own = request.acting.organisation
    return any(
        one.organisation == own and (one.number == number or (one.kind, one.about) == ("accepted", number))
        for one in found.entries
    )


def _titles(view: View, found: list[RoomTold]) -> dict[str, Localized]:
    return titles_of(view, (subject for one in found for subject in (one.demand, one.application)))


def _title(titles: Mapping[str, Localized], subject: str) -> str:
    return titles[subject].render(language()) if subject in titles else name_of(subject)
