"""What the hub's API takes and gives besides documents. The hub answers in these models, the client reads them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, get_args

import pydantic
from pydantic import StringConstraints
from pydantic_core import PydanticKnownError

from pilotbase.documents.base import Localized, Name
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Note
from pilotbase.documents.subjects import Subject
from pilotbase.documents.vocabularies import Role

MAXIMUM_PIECE = 4 << 20
"""Largest piece of an upload, in bytes."""

FileName = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f/\\]+$")]
UploadId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class Asked(pydantic.BaseModel):
    """What a caller sends; unknown fields are refused."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    @pydantic.field_validator("*", mode="before")
    @classmethod
    def _yes_is_no_number(cls, value: Any, info: pydantic.ValidationInfo) -> Any:
        if isinstance(value, bool) and not _takes_yes(cls.model_fields[info.field_name or ""].annotation):
            raise PydanticKnownError("int_type")
        return value


def _takes_yes(annotation: Any) -> bool:
    """Tell whether a field of this type is no number, or may be yes or no as well."""
    kinds = {annotation, *get_args(annotation)}
    return bool in kinds or not {int, float} & kinds


class Told(pydantic.BaseModel):
    """What the hub answers; a client passes over fields that later versions add."""

    model_config = pydantic.ConfigDict(from_attributes=True, frozen=True)


class ListedRecord(Told):
    """One record as lists show it."""

    subject: str
    state: str
    title: Localized
    owner: str
    sector: str
    action: str
    digest: Digest
    """Names the content: the scenario, the application version, the commission, the organisation."""
    url: str


class RecordPage(Told):
    """Some records, newest first; pass ``next`` as ``after`` to read on."""

    items: list[ListedRecord]
    total: int
    next: str | None


class WaitingWork(Told):
    """One thing that waits for the caller."""

    subject: str
    act: str
    title: Localized
    state: str
    since: datetime
    due: datetime | None
    overdue: bool


class TrialProgress(Told):
    """Coarse progress of the newest work on a trial; nothing where there was none."""

    state: str | None
    position: int
    """Place in the queue, from 1; 0 while it does not wait."""
    stage: str | None
    reason: str | None


class QueuedWork(Told):
    """Work that runs or waits, in the order in which it is taken."""

    subject: str
    work: str
    """What is done: ``rehearse``, ``board``, ``freeze``, ``trial``, ``certificate``, ``revocation``."""
    state: str
    position: int
    """Place in the queue, from 1; 0 while it runs."""
    stage: str | None
    percent: int | None
    """How far the stage is, in steps of five."""
    reason: str | None
    organisation: str
    """Who ordered it."""
    since: datetime


class OrderedBundle(Told):
    """A sample bundle that is being packed for the caller."""

    report: Digest
    """Of which round."""
    state: str
    position: int
    """Place in the queue, from 1; 0 while it is packed."""


class PossibleStep(Told):
    """A step that table and state leave open to the caller; ``obstacle`` says what else stands against it."""

    act: Act
    name: str
    brings: str | None
    """Kind of what is handed in with it; nothing: a note at most."""
    obstacle: str | None


class Noted(Asked):
    """A step that brings nothing but a note."""

    note: Note = ""


class NewUpload(Asked):
    """What is going to be sent: the digest is of the whole content."""

    name: FileName
    size: int = pydantic.Field(ge=1, le=1 << 40)
    digest: Digest


class OpenUpload(Told):
    """An upload: ``received`` bytes are on the disk of the base, encrypted; it is erased at ``expires_at``."""

    identity: UploadId
    name: str
    size: int
    digest: Digest
    received: int
    finished: bool
    expires_at: datetime


class HandedIn(Asked):
    """A finished upload, a zip of a folder, that becomes a version; it is erased once it is taken in."""

    upload: UploadId
    note: Note = ""


class HandedInScenario(HandedIn):
    """A zip of a scenario's folder."""

    new: bool = False
    """It is meant as a new scenario: refused where its name is taken, not made a version of what is there."""
    why_holds: bool = False
    """The reasons beside criteria that were changed hold for the new ones too."""


class HandedInApplication(HandedIn):
    """A zip of an application's folder, and the scenario that it is made for."""

    scenario: Subject | None = None


class KeptVersion(Told):
    """The files of one version of a scenario that the base keeps, encrypted, until ``kept_until``."""

    scenario: Digest
    size: int
    kept_until: datetime


class Erased(Told):
    """How many versions' files were erased."""

    erased: int


class CheckedCertificate(Told):
    """Whether a certificate holds, and what it says."""

    holds: bool
    revocation: str | None
    reason: str | None
    """Why it does not hold."""
    notes: list[str]
    certificate: Certificate | None


class Membership(Told):
    """An organisation and the roles that the person acts in."""

    organisation: str
    roles: list[Role]


class Caller(Told):
    """Who calls."""

    person: str
    """Opaque identifier, as records hold it."""
    name: str
    acting_for: str
    memberships: list[Membership]


class NewInvitation(Asked):
    """Whom to invite."""

    email: str = pydantic.Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    roles: list[Role] = pydantic.Field(min_length=1, max_length=len(Role))


class Invitation(Told):
    """An invitation whose link works."""

    email: str
    organisation: Name
    roles: list[Role]
    expires_at: datetime
    link: str | None = None
    """Only in the answer that made it."""


class ProblemIssue(Told):
    """One problem of what was sent."""

    path: str
    code: str
    detail: str


class Problem(Told):
    """Problem details (RFC 9457) in the caller's language."""

    type: str
    title: str
    status: int
    code: str
    hint: str
    problems: list[ProblemIssue] = []


Section = Literal["scenarios", "applications", "trials", "organisations"]
SECTIONS: dict[str, Section] = {
    "scenario": "scenarios",
    "application": "applications",
    "commission": "trials",
    "organisation": "organisations",
}
"""Kind of record → section of the hub."""
