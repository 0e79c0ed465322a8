"""Mail of the hub: who gets it, and files in the home while no server is named."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage
from django.db import DatabaseError, close_old_connections

from pilotbase.documents.notice import Letter, Recipient
from pilotbase.documents.texts import Language
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.acting import roles_of
from pilotbase.hub.configuration import HubConfiguration
from pilotbase.hub.models import Membership
from pilotbase.workspace.keys import write_private


class Postman:
    """Knows the people of the hub and mails them."""

    def __init__(self, configuration: HubConfiguration) -> None:
        self._configuration = configuration

    def people(self) -> Iterator[Recipient]:
        """Yield everybody who has an account and belongs to an organisation; nobody while accounts cannot be read."""
        close_old_connections()
        known, found = cache(roles_of), dict[str, Recipient]()
        rows = Membership.objects.filter(person__is_active=True).order_by("organisation")
        names = ("person__identity", "person__email", "person__language", "organisation", "roles")
        try:
            for identity, mail, language, organisation, roles in rows.values_list(*names):
                membership = (organisation, frozenset(map(Role, roles)) & known(organisation))
                before = found[identity].memberships if identity in found else ()
                spoken: Language = "zh" if language.startswith("zh") else "en"
                found[identity] = Recipient(identity, (*before, membership), mail, spoken)
        except DatabaseError:
            return
        yield from found.values()

    def send(self, letter: Letter) -> None:
        """Mail a letter; raises `OSError` when it does not go out."""
        headers = {"Message-ID": f"<{letter.identity}@{self._configuration.host}>", "Auto-Submitted": "auto-generated"}
        sender = self._configuration.mail_from
        EmailMessage(letter.subject, letter.body, sender, [letter.to], headers=headers).send()


class FolderBackend(BaseEmailBackend):
    """Writes each message as ``mail/<time>-<chance>.eml``, readable by the hub's user only: it may hold links."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(mode=0o700, exist_ok=True)
        for message in email_messages:
            moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
            write_private(folder / f"{moment}-{secrets.token_hex(4)}.eml", message.message().as_bytes())
        return len(email_messages)
