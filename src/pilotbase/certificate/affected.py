"""Which certificates a change of a standard affects: those whose plan was frozen with another version of the profile.

A certificate is affected only where the new version requires more. If the trial already measured enough to show it,
nobody has to prove anything again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pilotbase.certificate.status import CertificateStatus, issued_certificates, revocations_of, standing_of
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.report import Report
from pilotbase.documents.standards import StandardProfile, StandardReference
from pilotbase.documents.vocabularies import Conformity
from pilotbase.standards.composing import HeldRequirement, RequirementChange, differences, packaged_profiles, touching
from pilotbase.standards.matrix import MatrixInputs, conformity_rows
from pilotbase.workspace.store import View


@dataclass(frozen=True)
class Touched:
    """A requirement that now requires more, and whether the existing trial already meets it."""

    change: RequirementChange
    outcome: Conformity


@dataclass(frozen=True)
class Affected:
    """A certificate whose plan names another version of the profile."""

    certificate: Certificate
    status: CertificateStatus
    version: str
    """The version its plan was frozen with."""
    touched: tuple[Touched, ...]
    """Empty if no requirement became stricter."""

    @property
    def must_be_proven_again(self) -> bool:
        """Return whether the existing trial fails to show what the profile now requires."""
        return any(one.outcome is not Conformity.MET for one in self.touched)


def affected_certificates(view: View, profile: StandardProfile, at: datetime) -> list[Affected]:
    """Return the certificates visible to the actor whose plan names another version of ``profile``, newest first."""
    listed = revocations_of(view)
    found = []
    for certificate in issued_certificates(view):
        reference = _reference(view, certificate, profile.name)
        if reference is not None and reference.digest != profile.digest():
            status = standing_of(certificate, listed, at).status
            touched = _touched(view, certificate, reference, profile)
            found.append(Affected(certificate, status, reference.version, touched))
    return found


def _reference(view: View, certificate: Certificate, name: str) -> StandardReference | None:
    stored = view.get(certificate.plan)
    plan = stored.load(TrialPlan) if stored is not None else None
    return next((one for one in (plan.standards if plan else None) or () if one.name == name), None)


def _frozen(view: View, reference: StandardReference) -> StandardProfile | None:
    stored = view.get(reference.digest)
    if stored is not None:
        return stored.load(StandardProfile)
    packaged = packaged_profiles().get(reference.name)
    return packaged if packaged is not None and packaged.digest() == reference.digest else None


def _touched(
    view: View, certificate: Certificate, reference: StandardReference, profile: StandardProfile
) -> tuple[Touched, ...]:
    before = _frozen(view, reference)
    if before is None:  # the trial ran at a site and kept its profile there: treat all as changed
        changes = [RequirementChange("changed", None, one) for one in profile.requirements if not one.is_off]
    else:
        changes = touching(differences(before, profile), reference.also)
    rows = _rows(view, certificate, profile, changes)
    return tuple(Touched(change, outcome) for change, outcome in zip(changes, rows, strict=True))


def _rows(
    view: View, certificate: Certificate, profile: StandardProfile, changes: Sequence[RequirementChange]
) -> list[Conformity]:
    """Return how the trial meets each change; documents shown at the time of the trial aren't known here."""
    held = [HeldRequirement(profile, change.after) for change in changes if change.after is not None]
    stored = view.get(certificate.report)
    report = stored.load(Report) if stored is not None else None
    if report is None:
        shown = MatrixInputs()
    else:
        findings = [finding for section in report.sections for finding in section.findings]
        shown = MatrixInputs(criteria=report.criteria, findings=findings)
    return [row.outcome for row in conformity_rows(held, shown)]
