"""One's own account."""

from __future__ import annotations

from allauth.mfa.utils import is_mfa_enabled  # type: ignore[import-untyped]
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.problems import LoginNeededError


@require_safe
def show(request: HubRequest) -> HttpResponse:
    """Show who one is, and the ways to keep the account safe."""
    if request.acting.person is None:
        raise LoginNeededError("hub.login_needed")
    shown = {"title": text("hub.account"), "second_factor": is_mfa_enabled(request.acting.person)}
    return render(request, "hub/account.html", shown)
