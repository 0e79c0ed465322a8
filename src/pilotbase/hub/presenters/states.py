"""How a state or a warning looks: shape and colour beside its word, its place on the way; how a certificate stands.

Eight states and four warnings, each with a shape of its own; red is for what is bad alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from django.utils.safestring import SafeString

from pilotbase.certificate.exports import Export, exports
from pilotbase.certificate.status import CertificateStanding, CertificateStatus, revocations_of, standing_of
from pilotbase.charts.marks import badge, validity_bar
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.moments import format_day
from pilotbase.documents.states import (
    PREPARED,
    AgreementState,
    ApplicationState,
    CommissionState,
    DatasetState,
    DemandState,
    RecordState,
    ScenarioState,
)
from pilotbase.documents.texts import Language, Text, text
from pilotbase.documents.vocabularies import Verification
from pilotbase.hub.acting import language
from pilotbase.hub.base import base
from pilotbase.hub.presenters.addresses import certificate_address
from pilotbase.hub.presenters.drawn import drawn

_LOOKS = {
    "plan": "draft proposed countered offered asked",
    "wait": "guess joining review due queued plan_review waiting human consent",
    "run": "running freezing signing rehearsing rectification retest reported",
    "pass": "open taken_up joined submitted registered certified accepted frozen plan_approved agreed accept valid "
    "done finished good sure active filed pass fits green serving published in_force granted paid met delivered "
    "mitigated promoted kept",
    "fail": "revoked refused reject fail invalid failed expired key_is_revoked key_is_expired broken given_up "
    "rolled_back not_kept",
    "open": "inconclusive unknown missing",
    "hold": "blocked suspended fallen_back silenced",
    "end": "closed withdrawn declined cancelled stopped stopping ended not_measured",
    **{colour: colour for colour in ("blue", "yellow", "orange", "red")},
}
LOOK = {state: look for look, states in _LOOKS.items() for state in states.split()}
"""State → class of the stylesheet and shape of the sprite; what is not here is drawn as a plan."""

_BRACKET, _ESCAPED = re.compile(r"([][\\])"), r"\\\1"
_C = CommissionState
_WAYS: dict[str, dict[str, tuple[RecordState, ...]]] = {
    "demand": {"open": (DemandState.OPEN,), "taken_up": (DemandState.TAKEN_UP,)},
    "scenario": {state: (state,) for state in ScenarioState if state is not ScenarioState.WITHDRAWN},
    "application": {state: (state,) for state in ApplicationState if state is not ApplicationState.WITHDRAWN},
    "dataset": {"draft": (DatasetState.DRAFT,), "published": (DatasetState.PUBLISHED,)},
    "agreement": {
        "offered": (AgreementState.OFFERED, AgreementState.ASKED),
        "agreed": (AgreementState.AGREED,),
        "in_force": (AgreementState.IN_FORCE,),
    },
    "commission": {
        "commission": (_C.PROPOSED, _C.COUNTERED),
        "plan": PREPARED,
        "frozen": (_C.FREEZING, _C.FROZEN),
        "run": (_C.QUEUED, _C.RUNNING, _C.CONSENT, _C.JUDGING),
        "report": (_C.REPORTED, _C.REFUSED, _C.RECTIFICATION),
        "acceptance": (_C.ACCEPTED,),
        "certificate": (_C.SIGNING, _C.CERTIFIED, _C.SUSPENDED, _C.EXPIRED, _C.REVOKED),
    },
}
"""Kind of record → stage of its way, in order → the states in which a record is there."""


@dataclass(frozen=True)
class RecordStage:
    """One stage of a record's way."""

    label: Text
    place: str
    """``done``, ``now`` or ``later``; names: text ``hub.way_<place>``."""


def way(kind: str, state: str) -> list[RecordStage]:
    """Return the stages of a record's way with where it is; none where it has left its way, such as withdrawn."""
    stages = _WAYS.get(kind, {})
    here = next((number for number, states in enumerate(stages.values()) if state in states), None)
    if here is None:
        return []
    places = ["done"] * here + ["now"] + ["later"] * len(stages)
    return [RecordStage(Text(code=f"hub.way.{name}"), place) for name, place in zip(stages, places, strict=False)]


@dataclass(frozen=True)
class CertificateShown:
    """A certificate and how it stands now."""

    certificate: Certificate
    standing: CertificateStanding
    look: str
    words: Text
    """What the badge says beside the product's name."""

    @property
    def status(self) -> CertificateStatus:
        return self.standing.status

    @property
    def parts(self) -> list[tuple[Verification, Text]]:
        """Return the five verifications, each with how far it was measured."""
        missing = self.certificate.not_measured
        return [(part, _measured(part, missing)) for part in Verification]

    @property
    def bar(self) -> SafeString:
        """Return how much of its time has passed."""
        begins, ends = self.certificate.issued_at, self.certificate.expires_at
        issued = text("portal.proof.issued", day=format_day(begins)).render(language())
        until = text("portal.proof.until", day=format_day(ends)).render(language())
        now = base().lab.store.clock()
        return drawn(validity_bar(begins, ends, now, self.look, (f"{issued}, {until}", issued, until)))

    @property
    def formats(self) -> list[Export]:
        """Return the formats of other tools that it is exported to."""
        return list(exports().values())

    def badge(self, reader: Language) -> str:
        """Return the badge as SVG in the language ``reader``."""
        return badge(self.words.render(reader), self.look, self._name(reader))

    def snippets(self) -> Iterator[tuple[str, str]]:
        """Yield what puts the badge on another page: the kind of text, and the text."""
        reader = language()
        there = certificate_address(self.certificate.serial)
        image, name = f"{there}badge.{reader}.svg", self._name(reader)
        yield "HTML", f'<a href="{there}"><img src="{image}" alt="{escape(name)}" height="24"></a>'
        yield "Markdown", f"[![{_BRACKET.sub(_ESCAPED, name)}]({image})]({there})"

    def _name(self, reader: Language) -> str:
        application = self.certificate.application
        return text("portal.badge.name", name=application.name, version=application.version).render(reader)


def certificate_shown(certificate: Certificate, holds: bool) -> CertificateShown:
    """Return how ``certificate`` stands at this moment; only one that ``holds`` and accepts looks good.

    ``holds``: its signature was verified. If it was not, dates and revocations alone make no certificate valid.
    """
    stands = standing_of(certificate, revocations_of(base().lab.view), base().lab.store.clock())
    says = stands.status.value
    if stands.status is CertificateStatus.VALID:
        says = certificate.verdict.value if holds else "invalid"
    at = stands.entry.at if stands.entry is not None else certificate.expires_at
    return CertificateShown(certificate, stands, LOOK[says], text(f"portal.badge.{says}", day=format_day(at)))


def _measured(part: Verification, missing: tuple[str, ...]) -> Text:
    if part.value in missing:
        return text("outcome.not_measured")
    partly = any(one.startswith(f"{part.value}: ") for one in missing)
    return text("portal.proof.partly" if partly else "portal.proof.measured")
