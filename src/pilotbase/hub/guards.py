"""Who reaches a page at all; what they see there is cut by the store."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpResponseBase

from pilotbase.documents.permissions import AnyAct, ReadScope
from pilotbase.hub.acting import HubRequest, RequestActor
from pilotbase.hub.problems import LoginNeededError
from pilotbase.workspace.failures import NotFoundError

P = ParamSpec("P")
Page = Callable[Concatenate[HubRequest, P], HttpResponseBase]


def member_only(page: Page[P]) -> Page[P]:
    """Let those in who act for an organisation; others log in first, or are told that they belong to none."""

    @wraps(page)
    def guarded(request: HubRequest, /, *arguments: P.args, **options: P.kwargs) -> HttpResponseBase:
        if request.acting.person is None:
            raise LoginNeededError("hub.login_needed")
        if not request.acting.organisation:
            raise NotFoundError("hub.no_membership")
        return page(request, *arguments, **options)

    return guarded


def for_act(act: AnyAct) -> Callable[[Page[P]], Page[P]]:
    """Let those in who may do ``act`` to anything; for other members the page does not exist."""
    return _only(lambda acting: acting.may(act))


def for_reading(reading: ReadScope) -> Callable[[Page[P]], Page[P]]:
    """Let those in who may read that; for other members the page does not exist."""
    return _only(lambda acting: acting.reads(reading))


def _only(admits: Callable[[RequestActor], bool]) -> Callable[[Page[P]], Page[P]]:
    def guard(page: Page[P]) -> Page[P]:
        @wraps(page)
        def guarded(request: HubRequest, /, *arguments: P.args, **options: P.kwargs) -> HttpResponseBase:
            if not admits(request.acting):
                raise NotFoundError("hub.not_found")
            return page(request, *arguments, **options)

        return member_only(guarded)

    return guard
