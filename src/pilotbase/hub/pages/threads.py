"""Exchange 技术交流: threads about scenarios and applications, as pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pydantic
from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render

from pilotbase.catalogue import threads
from pilotbase.documents.hashes import digest_of
from pilotbase.documents.permissions import ExchangeAct
from pilotbase.documents.texts import Text, make_visible, text
from pilotbase.documents.thread import MAXIMUM_ATTACHMENTS, FileName, Message
from pilotbase.hub.acting import HubRequest, RequestActor, language, posted, posted_files
from pilotbase.hub.forms.declared import OperationForm, do, form_of, refusals_in, tell
from pilotbase.hub.forms.files import SeveralFiles
from pilotbase.hub.models import Membership
from pilotbase.hub.presenters.addresses import address_of, record_crumbs, subject_of
from pilotbase.hub.presenters.records import names_shown, see
from pilotbase.hub.presenters.taken import file_response
from pilotbase.hub.routing import FORM, POST, page
from pilotbase.hub.sentences import later, t
from pilotbase.operations import exchange
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View
from pilotbase.workspace.threads import count_threads, list_threads

PAGE = 50
_FILE_NAME = pydantic.TypeAdapter(FileName)
_CHANGES = (ExchangeAct.THREAD_CORRECT, ExchangeAct.THREAD_REMOVE, ExchangeAct.THREAD_MARK)


class MessageForm(OperationForm):
    """What goes with something said: files, and colleagues to be told."""

    colleagues = forms.MultipleChoiceField(
        label=t("thread.field_colleagues"), required=False, widget=forms.CheckboxSelectMultiple
    )
    attachments = SeveralFiles(
        label=t("thread.field_files"),
        required=False,
        most=MAXIMUM_ATTACHMENTS,
        too_many=later(lambda reader: text("thread.too_many_files", limit=MAXIMUM_ATTACHMENTS).render(reader)),
    )
    field_order = ("title", "text", "attachments", "colleagues", "private")

    def __init__(self, request: HubRequest, **given: str) -> None:
        posted, files = posted_files(request)
        super().__init__(posted, files=files, given=given)
        self._acting = acting = request.acting
        others = Membership.objects.filter(organisation=acting.organisation).exclude(person=acting.person)
        named = others.order_by("person__name").values_list("person__identity", "person__name")[:20]
        choices = [(identity, make_visible(name)) for identity, name in named]
        self.fields["colleagues"].choices = choices  # type: ignore[attr-defined]
        if not choices:
            del self.fields["colleagues"]

    def clean_attachments(self) -> Sequence[UploadedFile[bytes]]:
        files: list[UploadedFile[bytes]] = self.cleaned_data["attachments"]
        limit = settings.CONFIGURATION.attachment_bytes
        if any((file.size or 0) > limit for file in files):
            raise forms.ValidationError(text("thread.file_too_large", allowed=limit).render(language()))
        try:
            for file in files:
                _FILE_NAME.validate_python(file.name)
        except pydantic.ValidationError:
            raise forms.ValidationError(text("thread.file_name").render(language())) from None
        return files

    def said(self, view: View) -> dict[str, Any]:
        said = super().said(view)
        del said["attachments"]
        own = self._acting.organisation
        told = tuple({"organisation": own, "person": person} for person in said.pop("colleagues", ()))
        return said | {"mentions": told}

    def sent(self) -> bool:
        """Say it with its files and return whether that succeeded."""
        view = self._acting.view
        if self.done(view):
            with refusals_in(self):
                for file in self.cleaned_data["attachments"]:
                    given = {"thread": self.found.identity, "number": len(self.found.messages), "name": file.name}
                    do(exchange.ATTACH, view, {**given, "content": file.read()})
        return self.is_valid()


QuestionForm = form_of(exchange.ASK, "title", "text", "private", base=MessageForm)
ReplyForm = form_of(exchange.REPLY, "text", base=MessageForm)
FORMS: Mapping[ExchangeAct, type[OperationForm]] = {
    ExchangeAct.THREAD_CORRECT: form_of(exchange.CORRECT),
    ExchangeAct.THREAD_REMOVE: form_of(exchange.REMOVE),
}
"""Act on a message → its form."""


@page("exchange/", "exchange")
def show_all(request: HubRequest) -> HttpResponse:
    """List every thread that the reader sees."""
    return _list(request, None, {"title": text("thread.exchange"), "lead": text("thread.lead")})


@page("<public:section>/<whole:name>/threads/", "threads-about")
def about(request: HubRequest, section: str, name: str) -> HttpResponse:
    """List the threads about one scenario or application."""
    seen = see(request.acting.view, subject_of(section, name))
    shown = {
        "title": text("thread.exchange"),
        "lead": seen.title,
        "crumbs": record_crumbs(seen.subject, seen.title),
        "ask": f"{address_of(seen.subject)}threads/new/",
    }
    return _list(request, seen.subject, shown)


@page("<public:section>/<name:name>/threads/new/", "thread-new", methods=FORM)
def ask(request: HubRequest, section: str, name: str) -> HttpResponse:
    """Ask the owner of a scenario or an application."""
    seen = see(request.acting.view, subject_of(section, name))
    form = QuestionForm(request, subject=seen.subject)
    if form.sent():
        tell(request, form.operation)
        return redirect("thread", identity=form.found.identity)
    shown = {"title": text("act.thread.ask"), "lead": seen.title, "form": form}
    return render(request, "hub/said.html", {**shown, "crumbs": record_crumbs(seen.subject, seen.title)})


@page("exchange/<drawn:identity>/", "thread", methods=FORM)
def show(request: HubRequest, identity: str) -> HttpResponse:
    """Show a thread; add a message to it."""
    acting = request.acting
    seen = threads.read(acting.view, identity)
    form = ReplyForm(request, thread=identity)
    if form.sent():
        tell(request, form.operation)
        return redirect("thread", identity=identity)
    about = see(acting.view, seen.thread.subject)
    section, name = address_of(about.subject).strip("/").split("/", 1)
    shown = {
        "title": seen.thread.title,
        "thread": seen.thread,
        "owner": seen.owner,
        "about": about,
        "messages_shown": [_line(acting, seen, message) for message in seen.thread.messages],
        "people": names_shown(acting.actor, ((one.organisation, one.person) for one in seen.thread.messages)),
        "form": form,
        "crumbs": [
            *record_crumbs(about.subject, about.title),
            _crumb(f"/{section}/{name}/threads/", text("thread.exchange")),
        ],
    }
    return render(request, "hub/thread.html", shown)


@page("exchange/<drawn:identity>/<int:number>/correct/", "thread-correct", methods=FORM)
def correct(request: HubRequest, identity: str, number: int) -> HttpResponse:
    """Put other words in the place of a message's."""
    return _change(request, identity, number, ExchangeAct.THREAD_CORRECT)


@page("exchange/<drawn:identity>/<int:number>/remove/", "thread-remove", methods=FORM)
def remove(request: HubRequest, identity: str, number: int) -> HttpResponse:
    """Take a message away."""
    return _change(request, identity, number, ExchangeAct.THREAD_REMOVE)


@page("exchange/<drawn:identity>/mark/", "thread-mark", methods=POST)
def mark(request: HubRequest, identity: str) -> HttpResponse:
    """Say which message is the answer; an empty number: none is."""
    number = request.POST.get("message", "")
    if number and not (number.isascii() and number.isdigit() and len(number) < 6):
        raise NotFoundError("thread.not_found")
    do(exchange.MARK, request.acting.view, {"thread": identity, "sent": {"message": number or None}})
    tell(request, exchange.MARK)
    return redirect("thread", identity=identity)


@page("exchange/<drawn:identity>/<int:number>/<digits:digest>/", "thread-file")
def file(request: HubRequest, identity: str, number: int, digest: str) -> StreamingHttpResponse:
    """Give a file of a message, to be saved and never shown."""
    asked = {"thread": identity, "number": number, "digest": digest_of(digest)}
    return file_response(do(exchange.FILE, request.acting.view, asked))


def _list(request: HubRequest, subject: str | None, shown: dict[str, Any]) -> HttpResponse:
    view = request.acting.view
    rows, after = list_threads(view, subject, request.GET.get("after") or None, PAGE)
    found = threads.read_all(view, rows)
    return render(
        request,
        "hub/threads.html",
        {**shown, "threads": found, "subject": subject, "total": count_threads(view, subject), "after": after},
    )


def _line(acting: RequestActor, seen: threads.SeenThread, message: Message) -> dict[str, Any]:
    """Return a message with what the reader may do to it."""
    standing = message.removed_at is None
    acts = [act for act in _CHANGES if standing and threads.may(acting.view, seen, act, message.number)]
    removal = [step for step in seen.thread.history if step.act is ExchangeAct.THREAD_REMOVE]
    return {
        "message": message,
        "is_answer": seen.thread.answer == message.number,
        "may_correct": ExchangeAct.THREAD_CORRECT in acts,
        "may_remove": ExchangeAct.THREAD_REMOVE in acts,
        "may_mark": ExchangeAct.THREAD_MARK in acts and message.number > 1,
        "removal": next((step for step in removal if step.message == message.number), None),
    }


def _change(request: HubRequest, identity: str, number: int, act: ExchangeAct) -> HttpResponse:
    """Show the form of an act on a message, and do it."""
    seen = threads.read(request.acting.view, identity)
    message = seen.thread.message(number)
    if message is None or not threads.may(request.acting.view, seen, act, number):
        raise NotFoundError("thread.not_found")
    given, initial = {"thread": identity, "number": number}, {"text": message.text}
    form = FORMS[act](posted(request), given=given, initial=initial)
    if form.done(request.acting.view):
        tell(request, form.operation)
        return redirect("thread", identity=identity)
    crumbs = [_crumb("/exchange/", text("thread.exchange")), _crumb(f"/exchange/{identity}/", seen.thread.title)]
    lead = text("thread.leaves_a_trace")
    shown = {"title": Text(code=f"act.{act}"), "lead": lead, "form": form, "crumbs": crumbs}
    return render(request, "hub/said.html", shown)


def _crumb(url: str, label: Any) -> dict[str, Any]:
    return {"url": url, "label": label}
