"""Who has an account, and their mails: what `documents.notice.Post` asks of the hub. Django has been started."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache

from django.core.mail import EmailMessage
from django.db import DatabaseError, close_old_connections
from django.utils import translation

from pilotbase.documents.notice import Notice, Recipient
from pilotbase.documents.texts import Language, text
from pilotbase.documents.visible_text import make_visible
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.acting import roles_of
from pilotbase.hub.configuration import Configuration
from pilotbase.hub.models import Membership, Person
from pilotbase.hub.shown.telling import with_titles


class Postman:
    """Knows the people of the hub and mails them in their language."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration

    def people(self) -> Iterator[Recipient]:
        """Yield everybody who has an account and belongs to an organisation; nobody while accounts cannot be read."""
        close_old_connections()
        known = cache(roles_of)
        found: dict[str, list[tuple[str, frozenset[Role]]]] = defaultdict(list)
        rows = Membership.objects.filter(person__is_active=True).order_by("organisation")
        try:
            for identity, organisation, roles in rows.values_list("person__identity", "organisation", "roles"):
                found[identity].append((organisation, frozenset(map(Role, roles)) & known(organisation)))
        except DatabaseError:
            return
        yield from (Recipient(identity, tuple(memberships)) for identity, memberships in found.items())

    def send(self, person: str, notices: Sequence[Notice], message: str) -> None:
        """Mail ``notices`` to a person; raises `OSError` when the mail does not go out."""
        addressee = Person.objects.get(identity=person)
        language: Language = "zh" if addressee.language.startswith("zh") else "en"
        with translation.override("zh-hans" if language == "zh" else "en"):
            subject, body = mail_of([*map(with_titles, notices)], self._configuration.url, language)
        headers = {"Message-ID": f"<{message}@{self._configuration.host}>", "Auto-Submitted": "auto-generated"}
        EmailMessage(subject, body, self._configuration.mail_from, [addressee.email], headers=headers).send()


def mail_of(notices: Sequence[Notice], url: str, language: Language) -> tuple[str, str]:
    """Return subject and text of a mail that tells ``notices``; links begin with ``url``."""
    first = notices[0]
    if len(notices) == 1:
        subject = text("notice.mail_subject_one", sentence=first.sentence, title=_title(first, language))
    else:
        subject = text("notice.mail_subject_many", count=len(notices))
    lines = [text("notice.mail_begins").render(language), ""]
    for notice in notices:
        sentence = notice.sentence.render(language, make_visible)
        lines += [_title(notice, language), f"  {sentence}", f"  {url}/notices/{notice.identity}/", ""]
    lines.append(text("notice.mail_ends", link=f"{url}/notices/mail/").render(language))
    return _one_line(subject.render(language, make_visible))[:200], "\n".join(lines)


def _title(notice: Notice, language: Language) -> str:
    return _one_line(make_visible(notice.body.title.render(language)))


def _one_line(words: str) -> str:
    return " ".join(words.split())
