"""The beginning of a hub: the base as an organisation of its own, and its first operator, whom nobody could invite."""

from __future__ import annotations

from pilotbase.catalogue.saving import save
from pilotbase.documents.base import Localized
from pilotbase.documents.organisation import Organisation
from pilotbase.documents.subjects import organisation_subject, record_head
from pilotbase.documents.texts import LANGUAGES, text
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.base import base, operator_view
from pilotbase.hub.models import Membership
from pilotbase.hub.people.invitations import invite
from pilotbase.worker.base import DEFAULT_NAME


def register_base() -> None:
    """Register the base's own organisation where it is not, so that its page is there to invite its people from."""
    view, name = operator_view(), base().trust.issuer
    if view.head(record_head(organisation_subject(name))) is None:
        words = {language: text("hub.base_title").render(language) for language in LANGUAGES}
        title = Localized(**words) if name == DEFAULT_NAME else name
        save(view, Organisation(name=name, title=title, roles=(Role.OPERATOR,)))


def invite_operator(email: str) -> str:
    """Return the link by which ``email`` becomes an operator of the base; raises `InputError`: a member already."""
    return invite(operator_view(), None, email, base().trust.issuer, [Role.OPERATOR]).link


def is_empty() -> bool:
    """Tell whether nobody has joined yet."""
    return not Membership.objects.exists()
