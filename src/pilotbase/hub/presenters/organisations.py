"""What organisations are called: whoever reads the short name of one in a document may read its title."""

from __future__ import annotations

import time
from functools import lru_cache

from pilotbase.documents.base import Localized, localized
from pilotbase.documents.subjects import organisation_subject
from pilotbase.documents.texts import Language
from pilotbase.documents.visible_text import make_visible
from pilotbase.hub.acting import language
from pilotbase.hub.base import base, operator_view
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
