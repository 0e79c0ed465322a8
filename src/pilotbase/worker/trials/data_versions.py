"""The versions of a scenario's hidden data: what each holds still, and which certificates rest on it."""

from __future__ import annotations

import re
from pathlib import Path

from pilotbase.catalogue.records import load_record
from pilotbase.certificate.status import issued_certificates
from pilotbase.documents.api.comparison import SealedVersion
from pilotbase.documents.base import NAME
from pilotbase.documents.hashes import Digest
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.steps import Step
from pilotbase.documents.subjects import Subject, scenario_subject
from pilotbase.trial.scenario_folder import load_scenario
from pilotbase.trial.sealing import DataVersion, versions_of
from pilotbase.vault.attempts import remaining
from pilotbase.worker.base import Base
from pilotbase.workspace.store import View


def sealed_versions(base: Base, scenario: Scenario) -> tuple[SealedVersion, ...]:
    """Return the versions of a scenario's hidden data, newest first; none before they are sealed."""
    rests: dict[Digest, list[Digest]] = {}
    for certificate in issued_certificates(base.lab.view):
        rests.setdefault(certificate.scenario.hidden_set, []).append(certificate.serial)
    found = [_told(base, one, rests) for one in versions_of(base.lab.view, scenario)]
    return tuple(reversed(found))


def scenario_at(view: View, place: str) -> tuple[Scenario, Subject | None]:
    """Return the scenario of a folder, or of the record of a name such as ``plant/milling``, then with its subject.

    Raises:
        InputError: there is no such folder, or no scenario in it.
        NotFoundError: there is no such record.
    """
    if Path(place).exists() or not re.fullmatch(rf"{NAME}/{NAME}", place):
        return load_scenario(Path(place), Step.DRAFT)[0], None
    subject = scenario_subject(*place.split("/"))
    return view.load(load_record(view, subject)[0].documents["scenario"], Scenario), subject


def _told(base: Base, version: DataVersion, rests: dict[Digest, list[Digest]]) -> SealedVersion:
    left, digest = remaining(base.lab.vault, version.hidden), version.hidden.digest()
    return SealedVersion(
        number=version.number,
        hidden_set=digest,
        sealed_at=version.hidden.sealed_at,
        shown=version.record.public_cases,
        cases=version.hidden.rows,
        scored=left.scored,
        fresh=left.fresh,
        attempts=version.hidden.attempts,
        used=version.hidden.attempts - left.attempts,
        spent=left.spent_alpha,
        alpha=version.hidden.alpha,
        certificates=tuple(rests.get(digest, ())),
    )
