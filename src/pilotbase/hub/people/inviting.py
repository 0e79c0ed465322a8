"""Many invitations at once: all of them stand and are logged, or none; their mails go out afterwards."""

from __future__ import annotations

import logging
import smtplib
import threading
from collections.abc import Sequence

from django.core.mail import EmailMessage, get_connection

from pilotbase.catalogue.importing import Guest
from pilotbase.hub.models import Person
from pilotbase.hub.people.invitations import enter, mail_of
from pilotbase.workspace.store import View

AT_ONCE = 50
"""So many mails are sent before the page answers; more go out behind it."""
_log = logging.getLogger("pilotbase.hub")


def invite_all(view: View, inviter: Person | None, guests: Sequence[Guest]) -> int:
    """Invite everybody of ``guests``, whom `plan_people` has looked at, and return how many.

    Raises:
        RefusedError: the actor of ``view`` is not the operator; then nobody is invited.
    """
    made = enter(view, inviter, guests)
    mails = [mail_of(one.invitation, one.link, guest.language) for one, guest in zip(made, guests, strict=True)]
    _post(mails)
    return len(made)


def _post(mails: list[EmailMessage]) -> None:
    if len(mails) <= AT_ONCE:
        get_connection().send_messages(mails)
        return
    threading.Thread(target=_post_behind, args=(mails,), name="invitations").start()


def _post_behind(mails: list[EmailMessage]) -> None:
    try:
        get_connection().send_messages(mails)
    except (OSError, smtplib.SMTPException):
        _log.exception("mails of invitations did not go out")
