"""Notices: what is new for the reader, how they are told by mail, and where programs of their organisation are told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.notice import MailChoice, Notice, NoticeKind
from pilotbase.documents.subjects import kind_of
from pilotbase.documents.texts import text
from pilotbase.hub.acting import CHOSEN, HubRequest, RequestActor, actor_of, language, posted
from pilotbase.hub.forms.declared import do, form_of, post_of
from pilotbase.hub.presenters.addresses import Crumb, address_of, back_to, crumb
from pilotbase.hub.routing import FORM, POST, page
from pilotbase.hub.sentences import asked, t
from pilotbase.notices.mails import has_failed, mail_choice
from pilotbase.notices.outbox import list_deliveries
from pilotbase.notices.rows import count_unread, find_notice, list_notices, mark_read
from pilotbase.notices.webhooks import find_webhook, list_webhooks, organisation_channels
from pilotbase.operations.notices import CHOOSE
from pilotbase.operations.webhooks import ADD, END, REPLAY, TEST
from pilotbase.workspace.failures import NotFoundError

PAGE = 50


class MailForm(forms.Form):
    """How a person wants to be told by mail, and in which language."""

    mail = forms.ChoiceField(
        **asked("notice.field_mail", "notice.help_mail"),
        choices=[(choice.value, t(f"notice.mail.{choice}")) for choice in MailChoice],
        widget=forms.RadioSelect,
    )
    language = forms.ChoiceField(label=t("hub.language"), choices=[("en", "English"), ("zh", "中文")])


_CHANNELS = [(name, t(f"notice.channel.{name}")) for name in organisation_channels()]
WebhookForm = form_of(ADD)
WebhookForm.base_fields["url"].widget = forms.URLInput(attrs={"placeholder": "https://"})
WebhookForm.base_fields["channel"] = forms.ChoiceField(
    label=WebhookForm.base_fields["channel"].label, choices=_CHANNELS
)
WebhookForm.base_fields["secret"].widget = forms.PasswordInput(attrs={"autocomplete": "off"})


@page("notices/", "notices")
def show(request: HubRequest) -> HttpResponse:
    """List what is new, newest first."""
    view, unread = request.acting.view, "unread" in request.GET
    found, after = list_notices(view, unread, request.GET.get("after") or None, PAGE)
    shown = {
        "title": text("notice.title"),
        "groups": _by_record(found),
        "only_unread": unread,
        "count": count_unread(view),
        "after": after,
        "live": "after" not in request.GET,
        "next": f"{'unread=1&' if unread else ''}after={after}",
    }
    return render(request, "hub/notices.html", shown)


class _Group(NamedTuple):
    """The notices about one record or thread."""

    newest: Notice
    earlier: list[Notice]
    unread: list[str]


def _by_record(found: Iterable[Notice]) -> list[_Group]:
    """Return the notices about each record or thread together, in the order of the newest of each."""
    groups: dict[tuple[str, str], list[Notice]] = {}
    for one in found:
        groups.setdefault((one.subject, one.thread), []).append(one)
    return [_Group(some[0], some[1:], [one.identity for one in some if not one.read]) for some in groups.values()]


@page("notices/<drawn:identity>/", "notice")
def follow(request: HubRequest, identity: str) -> HttpResponse:
    """Go to what a notice is about; who follows it has read it.

    A link in a mail may be about another of the reader's organisations: they then act for that one.
    """
    found = find_notice(request.acting.view, identity)
    if found is None:
        found = _elsewhere(request, identity)
    elif request.method == "GET":
        mark_read(request.acting.view, [identity])
    return redirect(_target(found))


@page("notices/read/", "notices-read", methods=POST)
def read(request: HubRequest) -> HttpResponse:
    """Mark one notice as read, or all."""
    chosen = request.POST.getlist("notice")
    mark_read(request.acting.view, None if "all" in request.POST else chosen[:PAGE])
    return redirect(back_to(request, reverse("notices") + ("?unread=1" if "unread" in request.POST else "")))


@page("notices/mail/", "notice-mail", methods=FORM)
def mail(request: HubRequest) -> HttpResponse:
    """Choose how to be told by mail."""
    person = request.acting.person
    assert person is not None
    spoken = "zh" if person.language.startswith("zh") else "en"
    initial = {"mail": mail_choice(request.acting.view).value, "language": spoken}
    form = MailForm(posted(request), initial=initial)
    if request.method == "POST" and form.is_valid():
        do(CHOOSE, request.acting.view, {"mail": form.cleaned_data["mail"]})
        person.language = form.cleaned_data["language"]
        person.save(update_fields=["language"])
        messages.success(request, text("notice.mail_chosen").render(language()))
        return redirect("notices")
    shown = {"title": text("notice.mail_title"), "lead": text("notice.mail_lead"), "button": text("notice.mail_save")}
    note = text("notice.mail_failed") if has_failed(request.acting.view) else None
    return render(request, "hub/said.html", {**shown, "note": note, "form": form, "crumbs": _crumbs()})


@page("notices/webhooks/", "webhooks", methods=FORM)
def webhooks(request: HubRequest) -> HttpResponse:
    """List the webhooks of the reader's organisation; add one, whose secret is shown once where we draw it."""
    acting, form, secret = request.acting, WebhookForm(posted(request)), None
    if request.method == "POST" and form.is_valid():
        try:
            form, secret = WebhookForm(), do(ADD, acting.view, form.cleaned_data).secret
        except PilotbaseError as error:
            form.add_error("url", error.render(language()))
    shown = {"title": text("notice.webhooks"), "form": form, "secret": secret, "webhooks": list_webhooks(acting.view)}
    return render(request, "hub/webhooks.html", {**shown, "crumbs": _crumbs()})


@page("notices/webhooks/<drawn:identity>/", "webhook")
def webhook(request: HubRequest, identity: str) -> HttpResponse:
    """Show what was sent to a webhook, and what came of it."""
    found = find_webhook(request.acting.view, identity)
    deliveries = list_deliveries(request.acting.view, identity)
    crumbs = [*_crumbs(), crumb("webhooks", text("notice.webhooks"))]
    shown = {"title": text("notice.webhook"), "webhook": found, "deliveries": deliveries, "crumbs": crumbs}
    return render(request, "hub/webhook.html", shown)


def _elsewhere(request: HubRequest, identity: str) -> Notice:
    acting: RequestActor = request.acting
    assert acting.person is not None
    for membership in acting.memberships:
        view = acting.view.store.as_actor(actor_of(membership, acting.person))
        found = find_notice(view, identity)
        if found is not None:
            mark_read(view, [identity])
            request.session[CHOSEN] = membership.organisation
            return found
    raise NotFoundError("hub.not_found")


_PART = {NoticeKind.DATA: "readers/", NoticeKind.MATCH: "matches/"}
"""Kind of notice → the page of its record that it leads to."""


def _target(notice: Notice) -> str:
    if notice.thread:
        return reverse("thread", kwargs={"identity": notice.thread})
    if notice.kind is NoticeKind.WATCH:
        about_incident = kind_of(notice.subject) == "incident"
        return address_of(notice.subject) if about_incident else reverse("duty-desk")
    if notice.kind is NoticeKind.ASKED:
        pages = {"site-pack": "sites", "labelling-round": "labelling", "plan": "plan-proposal"}
        asked = pages.get(notice.body.record)
        return reverse(asked) if asked is not None else address_of(notice.subject)
    if notice.body.record == "tender" and notice.body.said is not None:
        return reverse("tenders", kwargs={"name": notice.body.said.params["scenario"]})
    if notice.subject:
        return address_of(notice.subject) + _PART.get(notice.kind, "")
    return reverse("webhooks" if notice.kind is NoticeKind.GIVEN_UP else "my-work")


def _crumbs() -> list[Crumb]:
    return [crumb("notices", text("notice.title"))]


post_of("notices/webhooks/<drawn:identity>/end/", "webhook-end", END, "webhooks", back=(), webhook="identity")
post_of(
    "notices/webhooks/<drawn:identity>/again/",
    "webhook-again",
    REPLAY,
    "webhook",
    back=("identity",),
    webhook="identity",
)
post_of(
    "notices/webhooks/<drawn:identity>/test/", "webhook-test", TEST, "webhook", back=("identity",), webhook="identity"
)
