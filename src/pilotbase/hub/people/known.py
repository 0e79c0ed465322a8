"""Who is on the base already: what an import of people is held against."""

from __future__ import annotations

from django.utils import timezone

from pilotbase.catalogue.importing import KnownPeople
from pilotbase.documents.organisation import Organisation
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.models import Invitation, Membership
from pilotbase.workspace.listings import MAXIMUM_PAGE, Query, list_page
from pilotbase.workspace.store import View


def known_people(view: View) -> KnownPeople:
    """Return organisations with their roles, and who is a member or has an invitation whose link works."""
    members = Membership.objects.values_list("person__email", "organisation")
    working = Invitation.objects.filter(used_at=None, withdrawn_at=None, expires_at__gt=timezone.now())
    invited = working.values_list("email", "organisation")
    known = {(email.lower(), organisation) for email, organisation in (*members, *invited)}
    return KnownPeople(_organisations(view), known)


def _organisations(view: View) -> dict[str, frozenset[Role]]:
    found: dict[str, frozenset[Role]] = {}
    after = None
    while True:
        page = list_page(view, Query("organisation"), after, MAXIMUM_PAGE)
        for listing in page.items:
            content = view.load(listing.digest, Organisation)
            found[content.name] = frozenset(content.roles)
        after = page.after
        if after is None:
            return found
