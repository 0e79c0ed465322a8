"""Many invitations at once: all of them stand and are logged, or none; their mails go out afterwards."""

from __future__ import annotations

import logging
import smtplib
import threading
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.utils import timezone

from pilotbase.catalogue.importing import Guest
from pilotbase.documents.hashes import hash_secret
from pilotbase.documents.subjects import organisation_subject
from pilotbase.hub.models import Invitation, Person
from pilotbase.hub.people.invitations import link_of, logged_person, mail_of
from pilotbase.hub.people.secrets import new_secret
from pilotbase.workspace.store import View

AT_ONCE = 50
"""So many mails are sent before the page answers; more go out behind it."""
_log = logging.getLogger("pilotbase.hub")


def invite_all(view: View, inviter: Person | None, guests: Sequence[Guest]) -> int:
    """Invite everybody of ``guests``, whom `plan_people` has looked at, and return how many.

    Raises:
        RefusedError: the actor of ``view`` is not the operator; then nobody is invited.
    """
    expires = timezone.now() + timedelta(days=settings.CONFIGURATION.invitation_days)
    secrets = [new_secret("invite") for _ in guests]
    invitations = [
        Invitation(
            email=guest.email,
            organisation=guest.organisation,
            roles=sorted(role.value for role in guest.roles),
            secret_hash=hash_secret(secret),
            invited_by=inviter,
            expires_at=expires,
        )
        for guest, secret in zip(guests, secrets, strict=True)
    ]
    with transaction.atomic():
        made = Invitation.objects.bulk_create(invitations)
        with view.transaction("invitation.sent") as change:
            change.require_operator()
            for invitation in made:
                facts: dict[str, str | int] = {"roles": ", ".join(invitation.roles), "invitation": invitation.pk}
                subjects = [organisation_subject(invitation.organisation)]
                change.record("invitation.sent", subjects, facts, logged_person(invitation.email, inviter))
    mails = [
        mail_of(invitation, link_of(secret), guest.language)
        for invitation, secret, guest in zip(made, secrets, guests, strict=True)
    ]
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
