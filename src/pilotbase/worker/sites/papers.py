"""What travels between a base and a site, how each signs it, and what each refuses from the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import pydantic
from pydantic import StringConstraints

import pilotbase
from pilotbase.certificate.bounded_json import parse_model
from pilotbase.certificate.envelope import Envelope, seal
from pilotbase.certificate.roots import TrustedKey, TrustRoots, follow_chain
from pilotbase.certificate.trust import TrustFolder
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.base import Document, Moment, Name, Note, Part
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import InvalidProofError, PilotbaseError, RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.plan import ApplicationReference, ScenarioReference, TrialPlan
from pilotbase.documents.record import Record
from pilotbase.documents.report import Report
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.site import Release, Software, Witness
from pilotbase.documents.texts import Text, text
from pilotbase.sandbox.box.trees import digest_tree
from pilotbase.trial.lab import SOFTWARE
from pilotbase.vault.sealing import HiddenSet
from pilotbase.worker.archives import MOST_WHEELS
from pilotbase.workspace.checks.proofs import LogExcerpt

Nonce = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Checkpoint = Annotated[str, StringConstraints(max_length=2000)]
"""A signed state of a log (C2SP ``tlog-checkpoint``)."""
GRACE = timedelta(days=7)
"""How long a site may continue a pack that it began in time: a power cut on the last day costs no attempt."""


class SiteOffer(Part):
    """A scenario that is sealed at a site: its document and the records of its data, without any of its rows."""

    scenario: Scenario
    reference: ScenarioReference
    sealed: Digest
    """Digest of the site's own record of the sealed data."""
    classes: tuple[str, ...] = pydantic.Field(max_length=10_000)
    hidden: HiddenSet
    """Rows, error probability, attempts, and salted commitments to cases and secrets."""


class SiteEnrolment(Document):
    """A site's own signed statement: who it is, what it has sealed, what may leave it."""

    document: Literal["site-enrolment/1"] = "site-enrolment/1"
    site: Name
    owner: Name
    roots: TrustRoots
    log_key: str = pydantic.Field(max_length=300)
    """The public key of the site's log (C2SP ``vkey``)."""
    checkpoint: Checkpoint
    software: Software
    release: Release
    offers: tuple[SiteOffer, ...] = pydantic.Field(min_length=1, max_length=100)
    signed_at: Moment


class EnrolledSite(Document):
    """A site as a base knows it; the newest version is valid."""

    document: Literal["enrolled-site/1"] = "enrolled-site/1"
    site: Name
    owner: Name
    enrolment: Digest
    """The newest `SiteEnrolment`."""
    root_key: Digest
    """Id of the site's newest root key, which owner and operator have compared."""
    seen: Checkpoint
    """The newest state of the site's log that came back: the log can only grow from it."""
    revoked_at: Moment | None = None
    reason: Note = ""


class Wheel(Part):
    """One package that the application needs, as a file of the pack."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+!-]{0,199}\.whl$")]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    size: int = pydantic.Field(ge=1)


class CarriedTerms(Part):
    """The terms on which the scenario's dataset is used: its current records at the base, with their documents."""

    dataset_record: Record
    dataset: Dataset
    agreement_record: Record | None = None
    agreement: Agreement | None = None
    """None for a dataset that is open to everybody, or belongs to the supplier."""

    @property
    def line(self) -> Text:
        """Return in a sentence the terms on which the site runs: the witness sees it before anything runs."""
        dataset = self.dataset_record.subject
        if self.agreement_record is None or self.agreement is None:
            return text("site.line_own_terms", dataset=dataset)
        names = {"agreement": self.agreement_record.subject, "supplier": self.agreement.assignee}
        if self.agreement.ends is None:
            return text("site.line_terms_open", dataset=dataset, **names)
        return text("site.line_terms", dataset=dataset, **names, ends=self.agreement.ends)


class SitePack(Document):
    """What a base orders a site to run, and on which terms; signed by the base."""

    document: Literal["site-pack/1"] = "site-pack/1"
    issuer: Name
    site: Name
    enrolment: Digest
    """The site's statement that it is based on."""
    scenario: ScenarioReference
    sealed: Digest
    criteria: tuple[str, ...] = pydantic.Field(min_length=1, max_length=100)
    """What counts as pass, as the scenario states it: for people to read."""
    application: ApplicationReference
    wheels: tuple[Wheel, ...] = pydantic.Field(default=(), max_length=MOST_WHEELS)
    software: Software
    """The software that runs it: another or a changed version does not run it."""
    release: Release
    terms: CarriedTerms | None = None
    """None if the scenario names no dataset: owner and supplier then agree on the plan alone."""
    nonce: Nonce
    """Chosen by the base after the site has committed to cases and secrets: the order of scoring depends on both."""
    seen: Checkpoint
    """The newest state of the site's log that the base knows."""
    made_at: Moment
    expires_at: Moment
    """The site has to begin before this; what it has begun it may finish within another `GRACE`."""

    @property
    def ends_at(self) -> datetime:
        """Return when it becomes useless: anything revoked after it was made is opened no longer than this."""
        return self.expires_at + GRACE


class SiteRelease(Document):
    """What a site releases from one trial, by digest. Its log records it before anything leaves."""

    document: Literal["site-release/1"] = "site-release/1"
    site: Name
    owner: Name
    pack: Digest
    nonce: Nonce
    plan: Digest
    report: Digest
    """The report as it leaves."""
    full_report: Digest
    """The one that stays at the site."""
    witness: Witness
    software: Software
    signed_at: Moment


class SiteReport(Document):
    """What comes back: the release, the documents that it names, and the proof of when each was fixed."""

    document: Literal["site-report/1"] = "site-report/1"
    release: SiteRelease
    plan: TrialPlan
    report: Report
    excerpt: LogExcerpt
    """Lines of the site's log: pack, plan, answers, order, report, release."""
    growth: tuple[str, ...] = pydantic.Field(max_length=200)
    """Proof that the log has grown from the state that the pack names (RFC 6962 §2.1.2), 32-byte hashes in hex."""


class Signed(Document):
    """One of the documents above as it was signed, kept so that it is always given out unchanged."""

    document: Literal["signed-paper/1"] = "signed-paper/1"
    about: Digest
    envelope: Envelope


def site_head(site: str) -> str:
    """Return the name under which a base keeps its knowledge of a site."""
    return f"site:{site}"


def pack_head(nonce: str) -> str:
    """Return the name under which a base and a site keep a pack."""
    return f"site-pack:{nonce}"


def release_head(nonce: str) -> str:
    """Return the name under which a site keeps what it has released under a pack."""
    return f"site-release:{nonce}"


def site_report_head(nonce: str) -> str:
    """Return the name under which a site keeps the signed report of a pack, and a base what came back."""
    return f"site-report:{nonce}"


def attempt_head(hidden_set: Digest, number: int) -> str:
    """Return the name under which a base keeps which report an attempt on a site's hidden set belongs to."""
    return f"site-attempt:{hidden_set}:{number}"


Paper = TypeVar("Paper", SiteEnrolment, SitePack, SiteReport)
_PREFIX = "application/vnd.pilotbase."


def sign(paper: Document, trust: TrustFolder) -> Envelope:
    """Return ``paper`` in a DSSE envelope, signed, with its chain; raises as `TrustFolder.signing_key`."""
    return seal(_type_of(type(paper)), paper.canonical(), trust.signing_key(), trust.chain)


def read_envelope(model: type[Document], data: bytes) -> Envelope:
    """Return the envelope in ``data``; nothing of what it holds is read.

    Raises:
        InvalidProofError: it is malformed, or holds another kind of document than ``model``.
    """
    envelope = parse_model(Envelope, data, named(model))
    if envelope.payload_type != _type_of(model):
        raise InvalidProofError("certificate.other_payload", what=named(model), found=envelope.payload_type)
    return envelope


def read_paper(model: type[Paper], envelope: Envelope) -> Paper:
    """Return the content of an envelope; raises `InvalidProofError` if that is no ``model``."""
    return parse_model(model, envelope.content(), named(model))


def signer_of(envelope: Envelope, roots: TrustRoots, issuer: str, at: datetime) -> TrustedKey | None:
    """Return the key of ``issuer`` that signed, under ``roots`` and within its validity ``at``, or None."""
    trusted = (holder for holder in follow_chain(roots, envelope.chain) if holder.role == "signing")
    entitled = (holder for holder in trusted if holder.issuer == issuer and holder.covers(at, at))
    return next((holder for holder in entitled if envelope.signed_by([holder.key])), None)


def named(model: type[Document]) -> Text:
    """Return the name of a kind of paper for a sentence."""
    return text(f"site.paper.{_kind_of(model).replace('-', '_')}")


def _type_of(model: type[Document]) -> str:
    return f"{_PREFIX}{_kind_of(model)}+json"


def _kind_of(model: type[Document]) -> str:
    return str(model.model_fields["document"].default).partition("/")[0]


@cache
def this_software() -> Software:
    """Return name, version and digest of the installed package: a site runs the same bytes as the base, or nothing."""
    package = Path(pilotbase.__file__).parent
    return Software(name=SOFTWARE, digest=digest_tree(package, wanted=lambda name: not name.endswith(".pyc")))


class Problems:
    """Collects problems."""

    def __init__(self) -> None:
        self._found: list[Text] = []

    def add(self, place: str, problem: Text) -> None:
        """Note what is wrong at ``place``."""
        self._found.append(text("site.at", place=place, problem=problem))

    def require(self, holds: bool, place: str, code: str, **params: object) -> None:
        """Note the problem ``code`` unless it ``holds``."""
        if not holds:
            self.add(place, text(code, **params))

    @contextmanager
    def about(self, place: str) -> Iterator[None]:
        """Note errors of ours that the block raises."""
        try:
            yield
        except PilotbaseError as error:
            self.add(place, error.text)

    def refuse(self, file: Path) -> None:
        """Raise `RefusedError` with every problem: the order is not carried out here."""
        if self._found:
            raise RefusedError("site.pack_refused", file=file, problems=self._joined())

    def disprove(self, file: Path) -> None:
        """Raise `InvalidProofError` with every problem: the statement does not hold."""
        if self._found:
            raise InvalidProofError("site.report_refused", file=file, problems=self._joined())

    def _joined(self) -> Text:
        whole = self._found[-1]
        for problem in reversed(self._found[:-1]):
            whole = text("site.then", first=problem, second=whole)
        return whole
