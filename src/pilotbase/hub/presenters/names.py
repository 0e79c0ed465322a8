"""What organisations are called, and whose names are shown to whom."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import lru_cache

from pilotbase.documents.base import Localized, localized
from pilotbase.documents.subjects import organisation_subject
from pilotbase.documents.texts import Language
from pilotbase.documents.visible_text import make_visible
from pilotbase.hub.acting import language
from pilotbase.hub.base import base, operator_view
from pilotbase.hub.models import Person
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.listings import MAXIMUM_PAGE, Page, Query, find_listing, list_page

_SECONDS = 60
"""A new title is shown everywhere after at most so long: pages ask for the same few names again and again."""


def title_of(name: str, of: Language | None = None) -> str:
    """Return the title of the organisation with this short name in the reader's language; the name where none is.

    A mail has no request: ``of`` is the language of who reads it.
    """
    title = _title(str(base().home.path), name, int(time.monotonic() // _SECONDS)) if name else None
    return make_visible(localized(title, of or language()) if title is not None else name)


@lru_cache(maxsize=4096)
def _title(home: str, name: str, period: int) -> Localized | None:
    """Return the title; ``home`` and ``period`` only tell one base, and one minute, from another."""
    subject, page = organisation_subject(name), _newest(home, period)
    listing = next((one for one in page.items if one.subject == subject), None)
    if listing is None and page.after is not None:
        listing = find_listing(operator_view(), subject)
    return None if listing is None else listing.title


@lru_cache(maxsize=1)
def _newest(home: str, period: int) -> Page:
    """Return the newest organisations of a base: a page of many names asks once a minute, not for each name."""
    return list_page(operator_view(), Query(kind="organisation"), limit=MAXIMUM_PAGE)


def names_shown(actor: Actor, standing: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    """Return opaque identifier → name of those that ``actor`` may know: colleagues; operator and regulator know all.

    ``standing``: for whom somebody stands there (an organisation), and who.
    """
    known = {person for organisation, person in standing if actor.sees_all or organisation == actor.organisation}
    return dict(Person.objects.filter(identity__in=known - {None}).values_list("identity", "name"))
