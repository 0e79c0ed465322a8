"""At the base: what came back from a site, examined offline; all problems are named at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from pilotbase.certificate.envelope import Envelope
from pilotbase.certificate.roots import TrustedKey
from pilotbase.documents.endpoint import Endpoint, EndpointUse
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.hashes import digest_bytes
from pilotbase.documents.limits import EndReason, IsolationLevel
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.report import Report
from pilotbase.documents.site import Release
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Outcome
from pilotbase.trial.repeating import planned_criteria
from pilotbase.trial.reporting import conclude
from pilotbase.trial.verdict_rules import levels_of
from pilotbase.worker.sample_bundles.replaying import Proceedings, require_said
from pilotbase.worker.sites.enrolling import KnownSite, require_in_force
from pilotbase.worker.sites.papers import (
    Problems,
    SiteOffer,
    SitePack,
    SiteReport,
    signer_of,
)
from pilotbase.worker.sites.releases import logged, permitted
from pilotbase.worker.sites.unpacking import SKEW
from pilotbase.worker.trials.folder import require_known_sentences
from pilotbase.workspace.log.merkle import verify_consistency
from pilotbase.workspace.log.notes import LogVerifier

_IN_ORDER = ("pack", "plan", "answers", "order", "report", "release")
"""The order in which the site's log must have recorded these."""


@dataclass(frozen=True)
class Returned:
    """A report that came back, with what the base knows of its origin."""

    paper: SiteReport
    envelope: Envelope
    pack: SitePack
    site: KnownSite
    offer: SiteOffer
    came_at: datetime
    endpoint: Endpoint | None = None
    """Where the supplier keeps the packed application; None: it runs in a box."""


def examine(returned: Returned, file: Path) -> TrustedKey:
    """Return the site's key that signed what came back, once all of it holds.

    Raises:
        InvalidProofError: with every problem and its place.
    """
    problems, paper = Problems(), returned.paper
    with problems.about("site"):
        require_in_force(returned.site.standing)
    enrolment = returned.site.enrolment
    signer = signer_of(returned.envelope, enrolment.roots, enrolment.site, paper.release.signed_at)
    problems.require(signer is not None, "signature", "site.not_signed", site=enrolment.site)
    _examine_release(returned, problems)
    _examine_plan(returned, problems)
    _examine_report(returned, problems)
    with problems.about("report"):
        require_known_sentences(paper.report, file)
    _examine_attempt(returned, problems)
    _examine_log(returned, problems)
    problems.disprove(file)
    assert signer is not None
    return signer


def _examine_release(returned: Returned, problems: Problems) -> None:
    release, pack = returned.paper.release, returned.pack
    said = {
        "release.pack": (release.pack, pack.digest()),
        "release.site": (release.site, pack.site),
        "release.owner": (release.owner, returned.site.standing.owner),
        "release.software": (release.software, pack.software),
        "release.plan": (release.plan, returned.paper.plan.digest()),
        "release.report": (release.report, returned.paper.report.digest()),
        "release.full_report": (release.full_report, returned.paper.report.full_report),
    }
    for place, (found, wanted) in said.items():
        problems.require(found == wanted, place, "site.differs")
    supplier = pack.application.supplier.organisation
    of_supplier = release.witness.organisation == supplier
    problems.require(not of_supplier, "release.witness", "site.witness_of_supplier", supplier=supplier)


def _examine_plan(returned: Returned, problems: Problems) -> None:
    """Note differences from the plan that follows from the scenario, its data as enrolled, and the pack."""
    plan, pack, offer = returned.paper.plan, returned.pack, returned.offer
    for name, wanted in _planned(pack, offer).items():
        problems.require(getattr(plan, name) == wanted, f"plan.{name}", "site.not_as_packed")
    fits = plan.cases <= offer.hidden.rows and plan.attempts <= offer.hidden.attempts
    problems.require(fits, "plan.cases", "site.not_as_packed")


def _planned(pack: SitePack, offer: SiteOffer) -> dict[str, object]:
    """Return field of a plan → its required value."""
    scenario, trial = offer.scenario, offer.scenario.trial
    return {
        "scenario": pack.scenario,
        "application": pack.application,
        "sealed": pack.sealed,
        "contract": scenario.contract(offer.classes),
        "positive": scenario.positive,
        "decision_threshold": scenario.decision_threshold,
        "criteria": planned_criteria(scenario),
        "carries": None,
        "suppliers": trial.suppliers,
        "repeats": trial.repeats,
        "design": trial.design,
        "isolation": trial.isolation,
        "limits": trial.limits,
        "batch_rows": trial.batch_rows,
        "delivery": trial.delivery,
        "nonce": pack.nonce,
        "release": pack.release,
        "software": pack.software.name,
    }


def _examine_report(returned: Returned, problems: Problems) -> None:
    plan, report, pack = returned.paper.plan, returned.paper.report, returned.pack
    boxed = returned.endpoint is None
    said = {
        "view": report.view == "site" and report.evidence,
        "plan": report.plan == plan.digest(),
        "scenario": report.scenario == plan.scenario,
        "application": report.application == plan.application,
        "contract": report.contract == plan.contract,
        "design": report.design == plan.design,
        "criteria": tuple(result.rule for result in report.criteria) == tuple(one.rule for one in plan.criteria),
        "isolation": report.isolation.level == (plan.isolation if boxed else IsolationLevel.L0),
        "endpoint": _is_of(report.endpoint, returned.endpoint),
        "counts": report.attempt is not None and report.counts.get("cases") == report.attempt.reserved,
        "verdict": report.verdict == _verdict(report),
        "order": _order_holds(plan, report),
        "records": report.records is not None,
    }
    for name, holds in said.items():
        problems.require(holds, f"report.{name}", "site.does_not_follow")
    if report.view == "site":
        problems.require(_is_permitted(report, pack.release), "report", "site.more_than_permitted")


def _drawn(plan: TrialPlan, report: Report) -> bool:
    """Return whether the attempt has the cases that the plan draws: of whole units, up to these."""
    cases = 0 if report.attempt is None else report.attempt.reserved
    return cases == plan.cases if plan.draw is None else plan.draw.units <= cases <= plan.cases


def _is_of(use: EndpointUse | None, endpoint: Endpoint | None) -> bool:
    """Return whether a report is about that endpoint."""
    if use is None or endpoint is None:
        return use is None and endpoint is None
    said = ("protocol", "url", "model", "version", "period")
    return all(getattr(use, name) == getattr(endpoint, name) for name in said)


def _verdict(report: Report) -> object:
    """Return the verdict that follows from the criteria and from how the run ended."""
    finished = report.isolation.end is EndReason.FINISHED
    again = report.asked_again
    depending = again is not None and again.outcome is Outcome.FAIL
    return conclude(report.criteria, None if finished else text("site.differs"), depending)[0]


def _is_permitted(report: Report, release: Release) -> bool:
    """Return whether a report contains only what may leave; False if it contains invalid figures."""
    try:
        return permitted(report, release) == report
    except (ValueError, ArithmeticError):
        return False


def _order_holds(plan: TrialPlan, report: Report) -> bool:
    """Return whether the order was opened, and is the one that the plan committed to."""
    order = report.order
    if order is None or order.secret is None or (order.commitment, order.nonce) != (plan.order_commitment, plan.nonce):
        return False
    try:
        return digest_bytes(bytes.fromhex(order.secret)) == plan.order_commitment
    except ValueError:
        return False


def _examine_attempt(returned: Returned, problems: Problems) -> None:
    attempt, hidden, plan = returned.paper.report.attempt, returned.offer.hidden, returned.paper.plan
    if attempt is None:
        problems.add("report.attempt", text("site.does_not_follow"))
        return
    last = hidden.attempts_before + hidden.attempts
    problems.require(attempt.number <= last, "report.attempt.number", "site.no_such_attempt", last=last)
    level = float(levels_of(plan, hidden.alpha, attempt.number).accept)
    said = (attempt.alpha, attempt.alpha_of_all, _drawn(plan, returned.paper.report))
    problems.require(said == (level, hidden.alpha, True), "report.attempt.alpha", "site.does_not_follow")
    scored = attempt.scored is not None and attempt.scored <= attempt.reserved
    problems.require(scored, "report.attempt.scored", "site.does_not_follow")


def _examine_log(returned: Returned, problems: Problems) -> None:
    """Note what the site's log lacks or has out of order, or that it did not grow from its known state."""
    paper, verifier = returned.paper, LogVerifier.from_text(returned.site.enrolment.log_key)
    with problems.about("excerpt"):
        proceedings = Proceedings(paper.plan, paper.report, beside=logged(paper.release))
        entries = require_said(paper.excerpt, proceedings, verifier, _IN_ORDER)
        _examine_times({name: entries[name].time for name in _IN_ORDER}, returned, problems)
    with problems.about("growth"):
        older, newer = verifier.open(returned.pack.seen), verifier.open(paper.excerpt.checkpoint)
        try:
            path = [bytes.fromhex(node) for node in paper.growth]
        except ValueError:
            path = []
        if not verify_consistency((older.size, newer.size), (older.root, newer.root), path):
            raise InvalidProofError("site.log_set_back", seen=older.size, size=newer.size)


def _examine_times(said: dict[str, datetime], returned: Returned, problems: Problems) -> None:
    """Note where the site's clock was set back meanwhile, or where it ran too early, too late, or in the future."""
    pack, release = returned.pack, returned.paper.release
    times = [said[name] for name in _IN_ORDER]
    forward = all(later >= earlier - SKEW for earlier, later in pairwise(times))
    problems.require(forward, "excerpt", "site.clock_stepped")
    begun = pack.made_at - SKEW <= said["pack"] <= pack.expires_at + SKEW
    problems.require(begun, "excerpt pack", "site.begun_outside")
    problems.require(release.signed_at <= pack.ends_at + SKEW, "release.signed_at", "site.released_late")
    problems.require(release.signed_at <= returned.came_at + SKEW, "release.signed_at", "site.from_the_future")
    report, plan = returned.paper.report, returned.paper.plan
    minute = timedelta(minutes=1)  # times of a report are cut to minutes
    span = (plan.frozen_at - minute - SKEW, report.started_at, report.ended_at, release.signed_at + SKEW)
    problems.require(list(span) == sorted(span), "report.started_at", "site.clock_stepped")
