"""Who has an account, and their mails: what `documents.notice.Post` asks of the hub. Django has been started."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from django.core.mail import EmailMessage
from django.db import DatabaseError, close_old_connections

from pilotbase.documents.notice import Letter, Recipient
from pilotbase.documents.texts import Language
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.acting import roles_of
from pilotbase.hub.configuration import HubConfiguration
from pilotbase.hub.models import Membership


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
