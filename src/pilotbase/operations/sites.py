"""Site trials: sites, packs for them, reports of them."""

from __future__ import annotations

from typing import Annotated, Any

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.api.shapes import RequestModel
from pilotbase.documents.api.sites import PackTold, SentTold, SiteDetail, SiteTold
from pilotbase.documents.files import File
from pilotbase.documents.hashes import HEX
from pilotbase.documents.subjects import Subject
from pilotbase.operations.operation import PATH, NoInput, Operation, Repeated

_Word = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


class OfSite(RequestModel):
    """Which site."""

    site: Annotated[_Word, PATH]


class OfPack(RequestModel):
    """Which pack."""

    asked: Annotated[str, StringConstraints(pattern=f"^{HEX}$"), PATH]


class NewSite(RequestModel):
    """An enrolment signed by a site, and the site's key as its owner gave it through another channel."""

    enrolment: dict[str, Any]
    """The content of ``site-enrolment.json``."""
    key: Annotated[str, StringConstraints(pattern=r"^(sha256:)?[0-9a-fA-F]{20,64}$")]


class SiteRevocation(OfSite):
    """Why nothing that a site signs is taken any more."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00]*$")]


class NewPack(OfSite):
    """What a site is to try."""

    scenario: _Word
    """One that the site has offered, by its name."""
    application: Subject
    days: int = pydantic.Field(7, ge=1, le=365)
    """Until then the site has to begin."""


class SignedReport(RequestModel):
    """A report as a site has signed it."""

    report: dict[str, Any]
    """The content of the site's ``….site-report.json``."""


_OWNER, _HARMLESS = "owner of the site, operator", Repeated.HARMLESS
_READERS, _PARTIES = "owner of the site, operator, regulator", "owner of the site, supplier, operator, regulator"
LIST = Operation("sites.list", "GET /sites", NoInput, list[SiteTold], only=_READERS)
ENROL = Operation(
    "sites.enrol",
    "POST /sites",
    NewSite,
    SiteTold,
    only=_OWNER,
    repeated=_HARMLESS,
    location="/api/sites/{given.site}",
    example={"enrolment": {"payload": "…", "signatures": []}, "key": "0c5d7e1a9b3f4826a1d0"},
)
SHOW = Operation("sites.show", "GET /sites/{site}", OfSite, SiteDetail, only=_READERS)
REVOKE = Operation(
    "sites.revoke",
    "POST /sites/{site}/revoke",
    SiteRevocation,
    SiteTold,
    only=_OWNER,
    repeated=_HARMLESS,
    example={"reason": "The machine was stolen."},
)
PACKS = Operation("sites.packs", "GET /site-packs", NoInput, list[PackTold], only=_PARTIES)
ASK = Operation(
    "sites.ask",
    "POST /sites/{site}/packs",
    NewPack,
    PackTold,
    only=_OWNER,
    repeated=_HARMLESS,
    location="/api/site-packs/{given.identity}",
    example={"scenario": "milling", "application": "application:acme/forest", "days": 7},
)
SHOW_PACK = Operation("sites.show_pack", "GET /site-packs/{asked}", OfPack, PackTold, only=_PARTIES)
AGREE = Operation(
    "sites.agree",
    "POST /site-packs/{asked}/agree",
    OfPack,
    PackTold,
    only="supplier of the application",
    repeated=_HARMLESS,
)
FETCH = Operation("sites.fetch", "GET /site-packs/{asked}/file", OfPack, File, only=_OWNER, refuses=frozenset({403}))
SEND = Operation(
    "sites.send",
    "POST /site-reports",
    SignedReport,
    SentTold,
    only=_OWNER,
    repeated=_HARMLESS,
    later=True,
    location="/api/sites",
    example={"report": {"payload": "…", "signatures": []}},
)
