"""Try a service: one call through its gateway, from its page."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render

from pilotbase.documents.errors import InputError
from pilotbase.documents.permissions import ServiceAct
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest, language, posted
from pilotbase.hub.base import base
from pilotbase.hub.forms.declared import add_errors
from pilotbase.hub.presenters.addresses import crumb
from pilotbase.hub.routing import FORM, page
from pilotbase.hub.sentences import t
from pilotbase.protocols.guarded_http import GuardedHttp, GuardedResponse, NoAnswerError
from pilotbase.protocols.strict_json import read_object
from pilotbase.service.registry import opened
from pilotbase.worker.services.acts import call_example
from pilotbase.workspace.failures import NotFoundError

_PLACE = "/v1/chat/completions"
_LONGEST = 100_000
_SECONDS = 60.0


class TryForm(forms.Form):
    """A key and a request."""

    key = forms.CharField(
        label=t("ask.key"),
        help_text=t("service.try_key_help"),
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}, render_value=True),
    )
    question = forms.CharField(
        label=t("service.try_question"),
        max_length=_LONGEST,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false"}),
    )


@page("services/<slug:name>/try/", "service-try", ServiceAct.INSPECT, FORM)
def show(request: HubRequest, name: str) -> HttpResponse:
    """Send one call to the gateway and show what came back."""
    service = opened(request.acting.view, name, ServiceAct.INSPECT)
    example, gateway = call_example(base(), service), settings.CONFIGURATION.gateway
    if example is None or not gateway:
        raise NotFoundError("hub.not_found")
    form = TryForm(posted(request), initial={"question": json.dumps(example, ensure_ascii=False, indent=2)})
    form.fields["question"].help_text = text("service.try_question_help", place=gateway + _PLACE).render(language())
    shown: dict[str, Any] = {
        "title": text("service.try"),
        "form": form,
        "crumbs": [crumb("services", text("service.nav")), crumb("service", service.title, name=name)],
    }
    if request.method == "POST" and form.is_valid():
        began = time.perf_counter()
        try:
            answer = _ask(gateway, form.cleaned_data["key"], form.cleaned_data["question"])
        except (InputError, NoAnswerError) as problem:
            add_errors(form, problem)
        else:
            took = round((time.perf_counter() - began) * 1000)
            shown |= {"answer": answer, "milliseconds": took, "body": _shown(answer)}
    return render(request, "hub/service_try.html", shown)


def _ask(gateway: str, key: str, question: str) -> GuardedResponse:
    """Return the gateway's answer, an error too; raises `InputError` where the question is no JSON, `NoAnswerError`."""
    read_object(question.encode())
    http = GuardedHttp((urlsplit(gateway).hostname or "",), _SECONDS)
    headers = {
        "Authorization": f"Bearer {key.strip()}",
        "Content-Type": "application/json",
        "Accept-Language": language(),
    }
    return http.post(gateway + _PLACE, question.encode(), headers)


def _shown(answer: GuardedResponse) -> str:
    """Return the body of an answer, indented where it is JSON."""
    try:
        return json.dumps(read_object(answer.body), ensure_ascii=False, indent=2)
    except InputError:
        return answer.body.decode("utf-8", "replace")
