"""At the site: what it has sealed and what it releases, as one signed file for the base. It contains no row of data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pydantic

from pilotbase.documents.errors import InputError
from pilotbase.documents.progress import OnProgress, ignore_progress
from pilotbase.documents.site import Release
from pilotbase.documents.steps import Step
from pilotbase.trial.running import kept_candidate
from pilotbase.trial.sealed import OpenedScenario
from pilotbase.vault.hidden import HiddenSet
from pilotbase.worker.base import Base
from pilotbase.worker.sites.papers import SiteEnrolment, SiteOffer, sign, this_software
from pilotbase.worker.trials.proving import seal_in
from pilotbase.workspace.actors import parties

OFFER_HEAD = "site-offer"
"""The name under which a site keeps its latest offer."""


def offer_scenarios(
    base: Base, scenarios: Sequence[Path], release: Release, on_progress: OnProgress = ignore_progress
) -> bytes:
    """Return the signed enrolment of this site: its public keys, what it has sealed, ``release``.

    Scenarios that are not sealed yet are sealed now.

    Raises:
        InputError: scenarios or their data are wrong, or their owners differ.
    """
    sealed = [_prepared(base, scenario, on_progress) for scenario in scenarios]
    owners = sorted({one.scenario.owner.organisation for one in sealed})
    if len(owners) != 1:
        raise InputError("site.owners_differ", owners=owners)
    with base.lab.view.transaction("site.offered") as change:
        change.record("site.offered", [one.record.digest() for one in sealed])
    enrolment = SiteEnrolment(
        site=base.trust.issuer,
        owner=owners[0],
        roots=base.trust.roots(),
        log_key=str(base.lab.store.key.verifier),
        checkpoint=base.lab.view.checkpoint().note,
        software=this_software(),
        release=release,
        offers=tuple(
            SiteOffer(
                scenario=one.scenario,
                reference=one.reference,
                sealed=one.record.digest(),
                classes=one.record.classes,
                hidden=base.lab.view.load(one.record.hidden_set, HiddenSet),
            )
            for one in sealed
        ),
        signed_at=base.lab.store.clock(),
    )
    with base.lab.view.transaction("site.enrolment_signed") as change:
        digest = change.put(enrolment, parties(), owner=owners[0])
        change.let_stand(OFFER_HEAD, digest)
    return sign(enrolment, base.trust).to_bytes()


def release_of(figures: str, smallest_cell: int) -> Release:
    """Return what may leave, as an owner spells it; raises `InputError` for an unknown spelling."""
    try:
        return Release.model_validate({"figures": figures, "smallest_cell": smallest_cell})
    except pydantic.ValidationError:
        raise InputError("site.bad_release", figures=figures, cell=smallest_cell) from None


def _prepared(base: Base, scenario: Path, on_progress: OnProgress) -> OpenedScenario:
    """Return the sealed scenario; the requirements of its baseline are fetched now: later there is no network."""
    sealed = seal_in(base, scenario, Step.FREEZE, on_progress)
    if sealed.record.reference_application is not None:
        kept_candidate(base.lab, sealed.record.reference_application)
    return sealed
