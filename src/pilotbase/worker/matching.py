"""Matching joined with certificates, over a base's records or over files of a scenario or an application."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from pilotbase.catalogue.applications import MANIFEST
from pilotbase.certificate.status import (
    MOST_CERTIFICATES,
    CertificateStatus,
    certificate_in,
    issued_certificates,
    revocations_of,
    standing_of,
)
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.application import Application
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.demand import DemandDraft, Resembling
from pilotbase.documents.errors import InputError
from pilotbase.documents.limits import IsolationLevel
from pilotbase.documents.loading import AnyDocument, load_document
from pilotbase.documents.matching import Assignment, GapMap, Matches, OfferedApplication
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.subjects import certificate_head
from pilotbase.documents.vocabularies import Verdict
from pilotbase.matching import gaps
from pilotbase.matching.assignment import assign
from pilotbase.matching.comparing import Comparer
from pilotbase.matching.concepts import CharacterComparer
from pilotbase.matching.drafting import NearScenario, SuggestedValue, draft_demand
from pilotbase.matching.finding import (
    BesideDemand,
    DemandWords,
    beside_demand,
    match_application,
    match_providers,
    match_scenario,
    matched_of,
    matches_about,
)
from pilotbase.matching.judging import match, match_back
from pilotbase.matching.pairs import ApplicationOffer, Need, ProvenPair, need_of, offer_of
from pilotbase.trial.scenario_folder import MANIFEST as SCENARIO_FILE
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import require_listing
from pilotbase.workspace.store import View

_MOST_FILES = 500
_ABOVE = 3
"""How many folders above an application its own scenario is searched for."""


def match_subject(view: View, subject: str, comparer: Comparer | None = None) -> Matches:
    """Return possible fits for a demand, scenario, application or capability, among what the actor of ``view`` sees.

    Raises:
        NotFoundError: the actor sees no such record, or it is of another kind.
    """
    listing = require_listing(view, subject)
    found = matched_of(view, listing)
    if found is None:
        raise NotFoundError("record.not_found", subject=subject)
    return _match(view, found, comparer)


def providers_of(view: View, subject: str) -> Matches:
    """Return the suppliers, service providers and experts whose capabilities a scenario or a demand may use.

    Raises:
        NotFoundError: as `match_subject`.
    """
    need = matched_of(view, require_listing(view, subject))
    if not isinstance(need, Need):
        raise NotFoundError("record.not_found", subject=subject)
    return match_providers(view, need, proofs_that_hold(view, view.store.clock()))


def match_document(view: View, asked: Scenario | OfferedApplication, comparer: Comparer | None = None) -> Matches:
    """Return possible fits for a scenario or an application that need not be in the base."""
    return _match(view, _asked_of(asked), comparer)


def draft_of_demand(view: View, said: str, suggested: Iterable[SuggestedValue] = ()) -> DemandDraft:
    """Return the draft of a demand in words, with what the actor of ``view`` sees beside it; as `draft_demand`.

    Words alone decide; the nearest open scenarios break ties.
    """
    words = DemandWords((said,))
    scenarios, solutions = beside_demand(view, words, "demand"), beside_demand(view, words, "offer")
    near = [
        NearScenario(one.one.sector, one.one.contract.task, one.likeness)
        for one in scenarios
        if isinstance(one.one, Need) and one.one.contract is not None
    ]
    beside = {"scenarios": tuple(map(_resembling, scenarios)), "solutions": tuple(map(_resembling, solutions))}
    return draft_demand(said, near, suggested).model_copy(update=beside)


def _resembling(beside: BesideDemand) -> Resembling:
    likeness = max(-1.0, min(beside.likeness, 1.0))
    return filled(Resembling, beside.one, likeness=likeness, duplicate=beside.same)


def _match(view: View, asked: Need | ApplicationOffer, comparer: Comparer | None) -> Matches:
    proofs = proofs_that_hold(view, view.store.clock())
    if isinstance(asked, Need):
        return match_scenario(view, asked, proofs, comparer)
    return match_application(view, asked, proofs, comparer)


def _asked_of(asked: Scenario | OfferedApplication) -> Need | ApplicationOffer:
    """Return the parts of a document that matching uses."""
    if isinstance(asked, Scenario):
        return need_of(asked)
    return offer_of(asked.application, need_of(asked.made_for) if asked.made_for else None)


def gap_map(view: View) -> GapMap:
    """Return demand without supply and supply without demand, among what the actor of ``view`` sees."""
    now = view.store.clock()
    return gaps.gap_map(view, proofs_that_hold(view, now), now)


def assignment(view: View, capacity: int, capacities: Mapping[str, int]) -> Assignment:
    """Return who takes which open scenario, in the most valuable and in a stable way; places as `assign`."""
    now = view.store.clock()
    return assign(view, proofs_that_hold(view, now), now, capacity, capacities)


def proofs_that_hold(view: View, now: datetime) -> list[ProvenPair]:
    """Return the certificates that are neither expired, revoked nor suspended, newest first; rejections too."""
    listed = revocations_of(view)
    return [
        _proven(one)
        for one in issued_certificates(view)
        if one.verdict is not Verdict.INCONCLUSIVE and standing_of(one, listed, now).status is CertificateStatus.VALID
    ]


@dataclass(frozen=True)
class Withheld:
    """An issued certificate that currently counts for nothing; ``why``: ``suspended`` or ``revoked``."""

    serial: str
    application: str
    scenario: str
    why: Literal["suspended", "revoked"]


def withheld_proofs(view: View) -> list[Withheld]:
    """Return the certificates that no match counts because the base's list has them as suspended or revoked."""
    listed = revocations_of(view)
    if listed is None:
        return []
    entries: dict[str, Literal["suspended", "revoked"]] = {entry.serial: "suspended" for entry in listed.suspended}
    entries |= {entry.serial: "revoked" for entry in listed.revoked}
    names = {certificate_head(serial): serial for serial in list(entries)[-MOST_CERTIFICATES:]}
    found = []
    for name, stored in view.named(list(names)).items():
        proven = _proven(certificate_in(stored))
        found.append(Withheld(proven.serial, proven.application, proven.scenario, entries[names[name]]))
    return found


def _proven(certificate: Certificate) -> ProvenPair:
    application, scenario = certificate.application, certificate.scenario
    return ProvenPair(
        serial=certificate.serial,
        application=application.subject,
        scenario=scenario.subject,
        scenario_version=scenario.digest,
        verdict=certificate.verdict,
        approximate=certificate.approximate or None,
        isolation=IsolationLevel(certificate.isolation),
        name=application.name,
        supplier=application.supplier.organisation,
    )


def read_asked(path: Path, side: str) -> Scenario | OfferedApplication:
    """Return the scenario or application in a file or folder; raises `InputError` with all its problems."""
    if side == "scenario":
        return load_document(Scenario, _file(path, SCENARIO_FILE))
    manifest = _file(path, MANIFEST)
    application, beside = load_document(Application, manifest), _scenario_above(manifest)
    own = load_document(Scenario, beside) if application.scenario and beside else None
    return _offered(application, own)


@dataclass(frozen=True)
class Among:
    """Matches found among files, and the problems of those that could not be read."""

    matches: Matches
    unreadable: tuple[InputError, ...] = ()


def match_among(
    asked: Scenario | OfferedApplication,
    among: Iterable[Path],
    proofs: Sequence[ProvenPair],
    by: Comparer | None = None,
) -> Among:
    """Return possible fits among the files below ``among``; ``proofs`` are certificates that hold.

    Raises:
        InputError: there are more than `_MOST_FILES`.
    """
    folders, files = tuple(among), _Files()
    scenarios = {one.name: one for one in files.read_all(Scenario, _below(folders, SCENARIO_FILE))}
    subject, comparer = _asked_of(asked), by or CharacterComparer()
    others: list[Need | ApplicationOffer]
    if isinstance(subject, Need):
        offered = [files.offered(file, scenarios) for file in _below(folders, MANIFEST)]
        offers = [offer for offer in (_asked_of(one) for one in offered if one) if not isinstance(offer, Need)]
        others, judged = [*offers], match(subject, offers, proofs, comparer)
    else:
        needs = [need_of(one) for one in scenarios.values()]
        others, judged = [*needs], match_back(subject, needs, proofs, comparer)
    read = sum(comparer.knows(one.passages) for one in others)
    return Among(matches_about(subject, judged, len(judged), read, comparer), tuple(files.unreadable.values()))


@dataclass
class _Files:
    """Reads one file after the other; a problem with one is kept and stops none of the others."""

    unreadable: dict[Path, InputError] = field(default_factory=dict)

    def read_all(self, model: type[AnyDocument], files: Iterable[Path]) -> list[AnyDocument]:
        return [found for file in files if (found := self.read(model, file)) is not None]

    def read(self, model: type[AnyDocument], file: Path) -> AnyDocument | None:
        try:
            return load_document(model, file)
        except InputError as error:
            self.unreadable.setdefault(file.resolve(), error)
            return None

    def offered(self, manifest: Path, scenarios: dict[str, Scenario]) -> OfferedApplication | None:
        application = self.read(Application, manifest)
        if application is None:
            return None
        own, beside = scenarios.get(application.scenario or ""), _scenario_above(manifest)
        if own is None and application.scenario and beside:
            own = self.read(Scenario, beside)
        return _offered(application, own)


def _offered(application: Application, own: Scenario | None) -> OfferedApplication:
    """Return an application with its own scenario, if that is the one which it names."""
    named = own is not None and own.name == application.scenario
    return OfferedApplication(application=application, made_for=own if named else None)


def _scenario_above(manifest: Path) -> Path | None:
    """Return the nearest scenario in a parent folder, where applications are kept beside it."""
    above = (folder / SCENARIO_FILE for folder in manifest.resolve().parents[1 : _ABOVE + 1])
    return next((file for file in above if file.is_file()), None)


def _below(folders: Iterable[Path], name: str) -> list[Path]:
    found = sorted({file for folder in folders for file in folder.rglob(name)})
    if len(found) > _MOST_FILES:
        raise InputError("match.too_many_files", found=len(found), allowed=_MOST_FILES)
    return found


def _file(path: Path, name: str) -> Path:
    return path / name if path.is_dir() else path
