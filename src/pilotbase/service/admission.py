"""Whether what was certified may answer here: its certificate, its standing, and what this base holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pilotbase.catalogue.applications import read_application
from pilotbase.catalogue.folders import kept_folder
from pilotbase.certificate.roots import TrustRoots
from pilotbase.certificate.status import IssuedCertificate, revocations_of
from pilotbase.certificate.verification import verify_certificate
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.door import ModelAddress, ModelDoor
from pilotbase.documents.errors import InputError, InvalidProofError, RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.plan import ApplicationReference, TrialPlan
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.service import CertifiedRoute
from pilotbase.documents.subjects import Subject, certificate_head
from pilotbase.sandbox.box.environments import INSTALLED, find_environment
from pilotbase.service.known import barred
from pilotbase.service.registry import world_behind
from pilotbase.trial.arena.kept_worlds import kept_world
from pilotbase.workspace.checks.proofs import proven_head
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View


@dataclass(frozen=True)
class Premises:
    """What a base holds of applications, and the roots that its certificates are checked against."""

    roots: TrustRoots
    applications: Path
    """One folder a version, by the hex digits of its digest."""
    environments: Path
    """One folder a supplier, and one for what loads models of everybody's."""
    worlds: Path
    """One folder a world, by its digest."""

    @classmethod
    def of_home(cls, home: Path, roots: TrustRoots) -> Premises:
        """Return the premises of the home at ``home``."""
        return cls(roots, home / "applications", home / "environments", home / "worlds")


def admit_certificate(
    view: View,
    premises: Premises,
    certificate: Digest,
    commission: Subject | None,
    model: ModelAddress | None = None,
) -> CertifiedRoute:
    """Return the route on which the application of ``certificate`` answers.

    ``model``: where the model is that it was certified with; None: where it was in the trial.

    Raises:
        NotFoundError: no such certificate was issued here, or the plan with its model is not kept here.
        InvalidProofError: the log does not know it, or its signature does not hold; or the world that it acted in is
            not kept here as it was.
        RefusedError: it is no acceptance, or expired, revoked or suspended; or ``model`` is not the model that it was
            certified with; or this base does not hold the very application and environment that were verified.
    """
    stored = view.get(certificate)
    if stored is None or stored.kind != "issued-certificate":
        raise NotFoundError("service.no_certificate", certificate=certificate)
    issued = stored.load(IssuedCertificate)
    stated, now = issued.certificate, view.store.clock()
    if proven_head(view.store, certificate_head(stated.report), "certificate.issued") != certificate:
        raise InvalidProofError("service.not_issued", certificate=certificate)
    _require_in_time(stated, now)
    verified = verify_certificate(issued.envelope.to_bytes(), premises.roots, at=now)
    if verified.certificate != stated:
        raise InvalidProofError("service.not_issued", certificate=certificate)
    route = _route(issued, commission)
    _require_standing(view, stated, route)
    require_held(premises, stated.application)
    _require_world(view, premises, route)
    return route.model_copy(update={"door": _door(view, stated, route, model)})


def why_not_admitted(view: View, issued: IssuedCertificate, commission: Subject | None) -> RefusedError | None:
    """Return what is known against serving by a certificate now, as `admit_certificate` would say; None: nothing.

    Signature and files are not looked at: that takes longer than a page may.
    """
    stated = issued.certificate
    try:
        _require_in_time(stated, view.store.clock())
        _require_standing(view, stated, _route(issued, commission))
    except RefusedError as refusal:
        return refusal
    return None


def require_held(premises: Premises, application: ApplicationReference) -> None:
    """Return if application and environment, as they were verified, are kept here unchanged; raises `RefusedError`.

    So is an agent behind an endpoint: it could act at its supplier's, outside the fence.
    """
    folder = kept_folder(premises.applications, application.digest)
    try:
        kept = read_application(folder)
    except InputError:
        raise RefusedError("service.application_missing", application=application.name) from None
    if kept.digest != application.digest:
        raise RefusedError("service.application_changed", application=application.name, found=kept.digest)
    if kept.application.acts and kept.application.endpoint is not None:
        raise RefusedError("service.application_acts", application=application.name)
    caches = [premises.environments / name for name in (application.supplier.organisation, INSTALLED)]
    if not any(find_environment(cache, application.environment) for cache in caches):
        raise RefusedError("service.environment_missing", application=application.name)


def _require_world(view: View, premises: Premises, route: CertifiedRoute) -> None:
    """Return if the world whose tools and rights were certified is kept here unchanged; raises `InvalidProofError`."""
    if (world := world_behind(view, route)) is not None:
        kept_world(premises.worlds, world)


def _door(view: View, stated: Certificate, route: CertifiedRoute, model: ModelAddress | None) -> ModelDoor | None:
    """Return the door with the sampling and the budget that the plan has frozen; None: it was certified without one."""
    if stated.model is None:
        if model is not None:
            raise RefusedError("service.no_model_certified", application=route.application.name)
        return None
    frozen = view.load(view.load(route.plan, TrialPlan).scenario.digest, Scenario).door
    return frozen if frozen is None or model is None else frozen.at(model)


def _require_in_time(stated: Certificate, now: datetime) -> None:
    if now >= stated.expires_at:
        raise RefusedError("service.certificate_out_of_time", expired=stated.expires_at.date())


def _route(issued: IssuedCertificate, commission: Subject | None) -> CertifiedRoute:
    stated = issued.certificate
    return filled(CertifiedRoute, stated, certificate=issued.digest(), commission=commission)


def _require_standing(view: View, stated: Certificate, route: CertifiedRoute) -> None:
    """Return if it was accepted and is not barred, by the list or by the record of its trial."""
    if not stated.accepts:
        raise RefusedError("service.not_accepted", verdict=stated.verdict_in_words)
    found = barred(view, route, revocations_of(view))
    if found == "revoked":
        raise RefusedError("service.revoked", application=route.application.name)
    if found == "suspended":
        raise RefusedError("service.suspended", application=route.application.name)
