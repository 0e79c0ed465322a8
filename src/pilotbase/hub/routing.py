"""Where a page is, who reaches it and what it takes, declared at its view; what they see there is cut by the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, path, register_converter
from django.urls.converters import StringConverter
from django.views.decorators.http import require_http_methods

from pilotbase.documents.base import NAME
from pilotbase.documents.hashes import HEX
from pilotbase.documents.permissions import AnyAct, ReadScope
from pilotbase.hub.acting import HubRequest, RequestActor
from pilotbase.hub.problems import LoginNeededError
from pilotbase.operations.operation import Callers
from pilotbase.workspace.failures import NotFoundError

P = ParamSpec("P")
Page = Callable[Concatenate[HubRequest, P], HttpResponseBase]
EVERYBODY, MEMBERS = Callers.EVERYBODY, Callers.MEMBERS
"""Visitors too; those who act for an organisation."""
Who = Callers | AnyAct | ReadScope
READ, POST = ("GET", "HEAD"), ("POST",)
FORM = (*READ, *POST)
"""Methods of a page that shows something, of one that only does something, of one that does both."""
PAGES: list[URLPattern | URLResolver] = []
"""The pages of the modules that are loaded."""
_PARTS = {
    "name": f"{NAME}(?:/{NAME})?",  # of a record: plant/milling, acme, 7f3a…
    "whole": f"{NAME}/{NAME}",  # of a scenario or an application: what follows is never taken for its end
    "digits": HEX,
    "language": r"en|zh",
    "purpose": r"revocation|suspension",
    "drawn": r"[0-9a-f]{16}(?:[0-9a-f]{16})?",  # by chance
    "section": r"demands|scenarios|applications|trials|organisations|datasets|agreements",
    "public": r"demands|scenarios|applications",
}
"""Part of an address → what it may be; ``public``: sections that visitors list, that are matched and asked about."""
for _part, _regex in _PARTS.items():
    register_converter(type(_part, (StringConverter,), {"regex": _regex}), _part)


def page(address: str, name: str, who: Who = MEMBERS, methods: Sequence[str] = READ) -> Callable[[Page[P]], Page[P]]:
    """Make a function the page ``name`` at ``address``; for members who may not do or read ``who`` there is none."""

    def place(view: Page[P]) -> Page[P]:
        guarded: Page[P] = require_http_methods(list(methods))(_guarded(view, who))
        PAGES.append(path(address, guarded, name=name))
        return guarded

    return place


def _guarded(view: Page[P], who: Who) -> Page[P]:
    """Return ``view`` for members: visitors log in first, and who belongs to no organisation is told so."""
    if who is EVERYBODY:
        return view

    @wraps(view)
    def guarded(request: HubRequest, /, *arguments: P.args, **options: P.kwargs) -> HttpResponseBase:
        acting = request.acting
        if acting.person is None:
            raise LoginNeededError("hub.login_needed")
        if acting.lacks_factor:
            return redirect("mfa_index")
        if not acting.organisation:
            raise NotFoundError("hub.no_membership")
        if not _admits(acting, who):
            raise NotFoundError("hub.not_found")
        return view(request, *arguments, **options)

    return guarded


def _admits(acting: RequestActor, who: Who) -> bool:
    """Return whether ``acting``, a member, is among ``who``, or there is anything to do or to read for them."""
    if isinstance(who, Callers):
        return True
    return acting.reads(who) if isinstance(who, ReadScope) else acting.may(who)
