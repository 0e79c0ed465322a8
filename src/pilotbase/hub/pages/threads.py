"""Exchange 技术交流: threads about scenarios and applications, as pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pydantic
from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render

from pilotbase.catalogue import threads
from pilotbase.documents.errors import InputError, PilotbaseError, RefusedError
from pilotbase.documents.files import File
from pilotbase.documents.hashes import digest_of
from pilotbase.documents.permissions import ExchangeAct
from pilotbase.documents.texts import Text, text
from pilotbase.documents.thread import (
    MAXIMUM_ATTACHMENTS,
    MAXIMUM_LETTERS,
    Correction,
    FileName,
    Marking,
    Mention,
    Message,
    Question,
    Removal,
    Reply,
    Thread,
)
from pilotbase.documents.visible_text import make_visible
from pilotbase.hub.acting import HubRequest, RequestActor, language, posted, posted_files
from pilotbase.hub.base import base
from pilotbase.hub.models import Membership
from pilotbase.hub.presenters.addresses import address_of, record_crumbs, subject_of
from pilotbase.hub.presenters.names import names_shown
from pilotbase.hub.presenters.records import see
from pilotbase.hub.presenters.taken import file_response
from pilotbase.hub.routing import FORM, POST, page
from pilotbase.hub.sentences import t
from pilotbase.workspace.blobs import BlobStore
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.threads import count_threads, list_threads

PAGE = 50
_FILE_NAME = pydantic.TypeAdapter(FileName)
_AREA = forms.Textarea(attrs={"rows": 5})
_CHANGES = (ExchangeAct.THREAD_CORRECT, ExchangeAct.THREAD_REMOVE, ExchangeAct.THREAD_MARK)


class _Files(forms.FileField):
    """Several files in one field."""

    widget = type("_FileInput", (forms.ClearableFileInput,), {"allow_multiple_selected": True})

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[bytes]]:
        given = data if isinstance(data, list | tuple) else [data] if data else []
        return [super(_Files, self).clean(one, initial) for one in given]


class MessageForm(forms.Form):
    """Something to say, with files and colleagues to be told."""

    text = forms.CharField(
        label=t("thread.field_text"), help_text=t("thread.help_text"), widget=_AREA, max_length=MAXIMUM_LETTERS
    )
    colleagues = forms.MultipleChoiceField(
        label=t("thread.field_colleagues"), required=False, widget=forms.CheckboxSelectMultiple
    )
    attachments = _Files(label=t("thread.field_files"), required=False)

    def __init__(self, acting: RequestActor, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._acting = acting
        others = Membership.objects.filter(organisation=acting.organisation).exclude(person=acting.person)
        named = others.order_by("person__name").values_list("person__identity", "person__name")[:20]
        choices = [(identity, make_visible(name)) for identity, name in named]
        self.fields["colleagues"].choices = choices  # type: ignore[attr-defined]
        if not choices:
            del self.fields["colleagues"]

    def clean_attachments(self) -> Sequence[UploadedFile[bytes]]:
        files: list[UploadedFile[bytes]] = self.cleaned_data["attachments"]
        limit = settings.CONFIGURATION.attachment_bytes
        if len(files) > MAXIMUM_ATTACHMENTS:
            raise forms.ValidationError(text("thread.too_many_files", limit=MAXIMUM_ATTACHMENTS).render(language()))
        if any((file.size or 0) > limit for file in files):
            raise forms.ValidationError(text("thread.file_too_large", allowed=limit).render(language()))
        try:
            for file in files:
                _FILE_NAME.validate_python(file.name)
        except pydantic.ValidationError:
            raise forms.ValidationError(text("thread.file_name").render(language())) from None
        return files

    @property
    def mentions(self) -> tuple[Mention, ...]:
        chosen = self.cleaned_data.get("colleagues", [])
        return tuple(Mention(organisation=self._acting.organisation, person=person) for person in chosen)


class QuestionForm(MessageForm):
    """A question."""

    title = forms.CharField(label=t("thread.field_title"), max_length=200)
    private = forms.BooleanField(label=t("thread.field_private"), help_text=t("thread.help_private"), required=False)
    field_order = ("title", "text", "attachments", "colleagues", "private")


class CorrectionForm(forms.Form):
    """Other words."""

    text = forms.CharField(label=t("thread.field_text"), widget=_AREA, max_length=MAXIMUM_LETTERS)


class RemovalForm(forms.Form):
    """Why a message goes."""

    reason = forms.CharField(label=t("thread.field_reason"), help_text=t("thread.help_reason"), max_length=400)


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
    form = QuestionForm(request.acting, *posted_files(request))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            question = Question(
                subject=seen.subject,
                title=given["title"],
                text=given["text"],
                private=given["private"],
                mentions=form.mentions,
            )
            asked = threads.ask(request.acting.view, question).thread
            _attach(request, asked, 1, given["attachments"])
            return redirect("thread", identity=asked.identity)
        except (InputError, RefusedError, ValueError) as error:
            form.add_error(None, _said(error))
    shown = {"title": text("act.thread.ask"), "lead": seen.title, "form": form}
    return render(request, "hub/said.html", {**shown, "crumbs": record_crumbs(seen.subject, seen.title)})


@page("exchange/<drawn:identity>/", "thread", methods=FORM)
def show(request: HubRequest, identity: str) -> HttpResponse:
    """Show a thread; add a message to it."""
    acting = request.acting
    seen = threads.read(acting.view, identity)
    form = MessageForm(acting, *posted_files(request))
    if request.method == "POST" and form.is_valid():
        try:
            said = Reply(text=form.cleaned_data["text"], mentions=form.mentions)
            thread = threads.reply(acting.view, identity, said).thread
            _attach(request, thread, len(thread.messages), form.cleaned_data["attachments"])
            return redirect("thread", identity=identity)
        except (InputError, RefusedError, ConflictError, ValueError) as error:
            form.add_error(None, _said(error))
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
    message = _changeable(request, identity, number, ExchangeAct.THREAD_CORRECT)
    form = CorrectionForm(posted(request), initial={"text": message.text})
    if request.method == "POST" and form.is_valid():
        try:
            threads.correct(request.acting.view, identity, number, Correction(text=form.cleaned_data["text"]))
            return redirect("thread", identity=identity)
        except (RefusedError, ConflictError, ValueError) as error:
            form.add_error(None, _said(error))
    return _change_page(request, identity, form, ExchangeAct.THREAD_CORRECT)


@page("exchange/<drawn:identity>/<int:number>/remove/", "thread-remove", methods=FORM)
def remove(request: HubRequest, identity: str, number: int) -> HttpResponse:
    """Take a message away."""
    _changeable(request, identity, number, ExchangeAct.THREAD_REMOVE)
    form = RemovalForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            why = Removal(reason=form.cleaned_data["reason"])
            threads.remove(request.acting.view, _blobs(), identity, number, why)
            return redirect("thread", identity=identity)
        except (RefusedError, ConflictError, ValueError) as error:
            form.add_error(None, _said(error))
    return _change_page(request, identity, form, ExchangeAct.THREAD_REMOVE)


@page("exchange/<drawn:identity>/mark/", "thread-mark", methods=POST)
def mark(request: HubRequest, identity: str) -> HttpResponse:
    """Say which message is the answer; an empty number: none is."""
    number = request.POST.get("message", "")
    if number and not (number.isascii() and number.isdigit() and len(number) < 6):
        raise NotFoundError("thread.not_found")
    threads.mark(request.acting.view, identity, Marking.model_construct(message=int(number) if number else None))
    return redirect("thread", identity=identity)


@page("exchange/<drawn:identity>/<int:number>/<digits:digest>/", "thread-file")
def file(request: HubRequest, identity: str, number: int, digest: str) -> StreamingHttpResponse:
    """Give a file of a message, to be saved and never shown."""
    seen = threads.read(request.acting.view, identity)
    found = threads.file_of(seen, number, digest_of(digest))
    return file_response(File.of(found.name, threads.content_of(_blobs(), found)))


def _blobs() -> BlobStore:
    return base().lab.vault.blobs


def _list(request: HubRequest, subject: str | None, shown: dict[str, Any]) -> HttpResponse:
    view = request.acting.view
    rows, after = list_threads(view, subject, request.GET.get("after") or None, PAGE)
    found = threads.read_all(view, rows)
    return render(
        request,
        "hub/threads.html",
        {**shown, "threads": found, "subject": subject, "total": count_threads(view, subject), "after": after},
    )


def _attach(request: HubRequest, thread: Thread, number: int, files: Iterable[UploadedFile[bytes]]) -> None:
    for one in files:
        limit = settings.CONFIGURATION.attachment_bytes
        threads.attach(request.acting.view, _blobs(), thread.identity, number, (one.name or "", one.file), limit)  # type: ignore[arg-type]


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


def _changeable(request: HubRequest, identity: str, number: int, act: ExchangeAct) -> Message:
    seen = threads.read(request.acting.view, identity)
    message = seen.thread.message(number)
    if message is None or not threads.may(request.acting.view, seen, act, number):
        raise NotFoundError("thread.not_found")
    return message


def _change_page(request: HubRequest, identity: str, form: forms.Form, act: ExchangeAct) -> HttpResponse:
    thread = threads.read(request.acting.view, identity).thread
    crumbs = [_crumb("/exchange/", text("thread.exchange")), _crumb(f"/exchange/{identity}/", thread.title)]
    lead = text("thread.leaves_a_trace")
    shown = {"title": Text(code=f"act.{act}"), "lead": lead, "form": form, "crumbs": crumbs}
    return render(request, "hub/said.html", shown)


def _crumb(url: str, label: Any) -> dict[str, Any]:
    return {"url": url, "label": label}


def _said(error: Exception) -> str:
    if isinstance(error, PilotbaseError):
        return error.render(language())
    return text("thread.unreadable").render(language())
