"""Buttons that call a declared operation and show their page again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from pilotbase.documents.permissions import ReadScope
from pilotbase.documents.visible_text import make_visible
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.forms.declared import AGAINST, do
from pilotbase.hub.guards import for_act, for_reading, member_only
from pilotbase.operations.operation import Operation
from pilotbase.workspace.failures import NotFoundError


def post_of(operation: Operation[Any, Any], page: str, back: Sequence[str] = ("name",), **fields: str) -> Any:
    """Return the view that calls ``operation`` and redirects to ``page``, which shows any refusal.

    ``back``: the parts of the address that the page shares; ``fields``: a field of the operation → its part of the
    address. Callers who may never call it get 404.
    """

    def view(request: HubRequest, **where: Any) -> HttpResponse:
        said = {name: request.POST[name] for name in operation.takes.model_fields if request.POST.get(name)}
        try:
            do(operation, request.acting.view, {**said, **{name: where[part] for name, part in fields.items()}})
        except AGAINST as error:
            if isinstance(error, NotFoundError):
                raise
            messages.error(request, error.render(language(), make_visible))
        return redirect(reverse(page, kwargs={part: where[part] for part in back}))

    who = operation.who
    guard: Callable[[Any], Any] = (
        member_only if who is None else for_reading(who) if isinstance(who, ReadScope) else for_act(who)
    )
    return require_POST(guard(view))
