"""What a certificate shows: its state now in a few words, how much of its time is left, what was measured, a badge."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from django.utils.safestring import SafeString

from pilotbase.certificate.status import CertificateStanding, CertificateStatus, revocations_of, standing_of
from pilotbase.charts.marks import badge, validity_bar
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.moments import format_day
from pilotbase.documents.texts import Language, Text, text
from pilotbase.documents.vocabularies import Verification
from pilotbase.hub.acting import language
from pilotbase.hub.base import base
from pilotbase.hub.presenters.addresses import certificate_address
from pilotbase.hub.presenters.drawn import drawn
from pilotbase.hub.presenters.states import LOOK

_BRACKET, _ESCAPED = re.compile(r"([][\\])"), r"\\\1"


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


def certificate_shown(certificate: Certificate) -> CertificateShown:
    """Return how ``certificate`` stands at this moment; a valid *reject* never looks good."""
    stands = standing_of(certificate, revocations_of(base().lab.view), base().lab.store.clock())
    says = certificate.verdict.value if stands.status is CertificateStatus.VALID else stands.status.value
    at = stands.entry.at if stands.entry is not None else certificate.expires_at
    return CertificateShown(certificate, stands, LOOK[says], text(f"portal.badge.{says}", day=format_day(at)))


def _measured(part: Verification, missing: tuple[str, ...]) -> Text:
    if part.value in missing:
        return text("outcome.not_measured")
    partly = any(one.startswith(f"{part.value}: ") for one in missing)
    return text("portal.proof.partly" if partly else "portal.proof.measured")
