"""A certificate in the formats of others; every file here that defines an ``EXPORT`` is found automatically.

An export restates what was signed. It names the certificate's serial number, of rejections too, and claims nothing
about a scheme or law of somebody else. The same certificate and report make the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from pilotbase.documents.certificate import Certificate
from pilotbase.documents.criteria import Rule, parse_rule
from pilotbase.documents.errors import InputError, InvalidProofError, offer
from pilotbase.documents.files import File
from pilotbase.documents.hashes import abbreviated, hex_of
from pilotbase.documents.moments import format_for_machines
from pilotbase.documents.plugins import loaded
from pilotbase.documents.report import CriterionResult, Report
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import Outcome


@dataclass(frozen=True)
class CertifiedCriterion:
    """A criterion of the certificate, and what the report says of it."""

    source: str
    """As the certificate spells it."""
    rule: Rule
    outcome: Outcome | None
    """None: unknown without the report."""
    result: CriterionResult | None

    @property
    def bounds(self) -> dict[str, float]:
        """Return ``lower`` and ``upper``, those that the report states."""
        ends = {} if self.result is None else {"lower": self.result.lower, "upper": self.result.upper}
        return {name: end for name, end in ends.items() if end is not None}


@dataclass(frozen=True)
class ProvenCertificate:
    """A certificate whose signature was checked, and the report behind it if whoever exports has it."""

    certificate: Certificate
    report: Report | None = None

    def __post_init__(self) -> None:
        report = self.report
        if report is not None and (report.full_report or report.digest()) != self.certificate.report:
            raise InvalidProofError("certificate.export.other_report", serial=abbreviated(self.certificate.serial))

    @property
    def urn(self) -> str:
        """Return a name of the certificate that is unique everywhere."""
        return f"urn:pilotbase:certificate:{hex_of(self.certificate.serial)}"

    @property
    def issued(self) -> str:
        """Return when it was issued, in whole seconds (ISO 8601, UTC)."""
        return format_for_machines(self.certificate.issued_at)

    @property
    def claim(self) -> str:
        return self.certificate.claim.render("en")

    @property
    def limits(self) -> list[str]:
        """Return what the claim does not cover: what was not measured, and the certificate's remarks."""
        excluded = [f"Not measured: {one}." for one in self.certificate.not_measured]
        return [*excluded, *(remark.render("en") for remark in self.certificate.remarks)]

    @cached_property
    def criteria(self) -> list[CertifiedCriterion]:
        """Return every criterion; without a report their outcome is known of an accepted application only."""
        known = {} if self.report is None else {one.rule: one for one in self.report.criteria}
        passed = Outcome.PASS if self.certificate.accepts else None
        return [
            CertifiedCriterion(
                rule, parse_rule(rule), known[rule].outcome if rule in known else passed, known.get(rule)
            )
            for rule in self.certificate.criteria
        ]


@dataclass(frozen=True)
class Export:
    """One format. ``media``: its media type; ``suffix``: of its files."""

    name: str
    title: Text
    media: str
    suffix: str
    write: Callable[[ProvenCertificate], bytes]


def exports() -> dict[str, Export]:
    """Return name → format."""
    found: list[Export] = [module.EXPORT for module in loaded("certificate.exports") if hasattr(module, "EXPORT")]
    return {one.name: one for one in found}


def export(proof: ProvenCertificate, to: str) -> File:
    """Return a certificate in the format ``to``, as a file named after the application.

    Raises:
        InputError: there is no such format; names those there are.
    """
    known, application = exports(), proof.certificate.application
    if to not in known:
        raise InputError("certificate.export.unknown", found=to, allowed=offer(to, sorted(known)))
    return File.of(f"{application.name}-{application.version}{known[to].suffix}", known[to].write(proof))
