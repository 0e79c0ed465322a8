"""At the site: what may leave of a finished trial, written to the log, proven by it, signed. Once and for all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pilotbase.certificate.envelope import Envelope
from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.report import CriterionResult, Finding, GroupScore, Report, RestsOn
from pilotbase.documents.site import Release, Witness
from pilotbase.documents.standards import without_figures
from pilotbase.documents.texts import Text, text
from pilotbase.measures import is_resource
from pilotbase.trial.lab import name_once
from pilotbase.worker.base import Base
from pilotbase.worker.sample_bundles.replaying import Logged, Proceedings, excerpt_of
from pilotbase.worker.sites.papers import (
    Signed,
    SitePack,
    SiteRelease,
    SiteReport,
    read_paper,
    release_head,
    sign,
    site_report_head,
    this_software,
)
from pilotbase.worker.sites.unpacking import growth_since
from pilotbase.workspace.actors import parties
from pilotbase.workspace.log.entries import STORED

_KEPT_BACK = text("input.for_the_owner_only")


@dataclass(frozen=True)
class Released:
    """What may leave of a trial, and the envelope that holds it."""

    paper: SiteReport
    envelope: Envelope


def release_trial(base: Base, pack: SitePack, plan: TrialPlan, report: Report, witness: Witness) -> Released:
    """Return the signed report of a pack; the first one made is final."""
    head = site_report_head(pack.nonce)
    known = base.lab.view.head(head)
    if known is None:
        signed = _sign(base, pack, _release(base, pack, plan, report, witness), plan)
        with base.lab.view.transaction("site.signed") as change:
            digest = change.put(signed, parties(), owner=plan.scenario.owner.organisation)
        known = name_once(base.lab.view, head, digest)
    envelope = base.lab.view.load(known, Signed).envelope
    return Released(read_paper(SiteReport, envelope), envelope)


def logged(release: SiteRelease) -> tuple[Logged, ...]:
    """Return what the site's log must record of a release, in addition to the lines of every trial."""
    return (
        Logged("pack", "site.pack_taken", f"{STORED}{release.pack}", "site-pack"),
        Logged("release", "site.released", f"{STORED}{release.digest()}", "site-release"),
    )


def _release(base: Base, pack: SitePack, plan: TrialPlan, report: Report, witness: Witness) -> SiteRelease:
    """Return what is released of a trial, now recorded in the log of this site."""
    head, owner = release_head(pack.nonce), plan.scenario.owner.organisation
    known = base.lab.view.load_head(head, SiteRelease)
    if known is not None:
        return known
    leaving = permitted(report, pack.release)
    release = SiteRelease(
        site=base.trust.issuer,
        owner=owner,
        pack=pack.digest(),
        nonce=pack.nonce,
        plan=plan.digest(),
        report=leaving.digest(),
        full_report=report.digest(),
        witness=witness,
        software=this_software(),
        signed_at=base.lab.store.clock(),
    )
    with base.lab.view.transaction("site.released") as change:
        change.put(leaving, parties(), owner=owner)
        change.set_head(head, change.put(release, parties(), owner=owner), expected=None)
    return release


def _sign(base: Base, pack: SitePack, release: SiteRelease, plan: TrialPlan) -> Signed:
    leaving = base.lab.view.load(release.report, Report)
    excerpt = excerpt_of(base.lab.store, Proceedings(plan, leaving, beside=logged(release)))
    growth = growth_since(base, pack.seen, base.lab.store.key.verifier.open(excerpt.checkpoint))
    paper = SiteReport(release=release, plan=plan, report=leaving, excerpt=excerpt, growth=growth)
    return Signed(about=release.digest(), envelope=sign(paper, base.trust))


def permitted(report: Report, release: Release) -> Report:
    """Return the part of ``report`` that may leave under ``release``; idempotent, so that a base can check it.

    An application sees the cases and chooses many figures, so everything that it can choose is as coarse as in a
    supplier's view (`Report.supplier_view`). In addition, no figure leaves that is based on fewer cases than the owner
    requires.
    """
    cell = release.smallest_cell
    coarse = report.supplier_view()
    exact = release.figures == "bounds"
    small = _resting_on_few(report, cell)
    # The costs of an attempt, with the number of scored cases, which a certificate states.
    scored = report.attempt.scored if report.attempt else None
    rests = report.attempt.rests if report.attempt else None
    counted = {"scored": scored, "rests": rests and RestsOn(cases=rests.cases)}
    attempt = coarse.attempt and coarse.attempt.model_copy(update=counted)
    criteria = _exact(report.criteria, coarse.criteria) if exact else coarse.criteria
    return coarse.model_copy(
        update={
            "view": "site",
            "full_report": report.full_report or report.digest(),
            "reasons": tuple(_without_figure(reason, small) for reason in coarse.reasons),
            "criteria": tuple(_released(result, small) for result in criteria),
            "sections": tuple(
                section.model_copy(update={"findings": tuple(_finding(found, cell) for found in section.findings)})
                for section in coarse.sections
            ),
            "groups": tuple(_large(report.groups, cell)) if exact else (),
            "counts": _counts(coarse.counts, report, cell),
            "attempt": attempt,
            "standards": without_figures(report.standards),
            "records": report.records,
            "order": report.order,
        }
    )


def _exact(full: Sequence[CriterionResult], coarse: Sequence[CriterionResult]) -> Iterable[CriterionResult]:
    """Yield exact results of answers; those of resources stay coarse: the application chooses every digit of them."""
    for exact, rounded in zip(full, coarse, strict=True):
        yield rounded if is_resource(parse_rule(exact.rule)) else exact


def _resting_on_few(report: Report, cell: int) -> frozenset[str]:
    """Return the rules whose figure would describe fewer than ``cell`` cases, or a group of so few."""
    few = {score.column for score in report.groups if score.cases < cell}
    rules = {result.rule: (parse_rule(result.rule), result.scored) for result in report.criteria}
    return frozenset(
        name
        for name, (rule, scored) in rules.items()
        if not is_resource(rule) and ((scored is not None and scored < cell) or rule.by in few)
    )


def _released(result: CriterionResult, small: frozenset[str]) -> CriterionResult:
    if result.rule not in small:
        return result.model_copy(update={"path": ()})
    figures = ("estimate", "lower", "upper", "scored", "needed", "detectable", "baseline", "people", "paired")
    return result.model_copy(update={**dict.fromkeys(figures), "available": 0, "path": (), "claim": _KEPT_BACK})


def _without_figure(reason: Text, small: frozenset[str]) -> Text:
    if reason.params.get("rule") not in small or "estimate" not in reason.params:
        return reason
    return reason.model_copy(update={"params": {**reason.params, "estimate": "–"}})


def _finding(finding: Finding, cell: int) -> Finding:
    abstained = finding.sentence.params.get("abstained")
    few = isinstance(abstained, int) and 0 < abstained < cell
    return finding.model_copy(update={"sentence": _KEPT_BACK}) if few else finding


def _large(groups: Sequence[GroupScore], cell: int) -> Iterable[GroupScore]:
    """Yield the scores of groups that are large enough; if just one is too small, the next larger is withheld too.

    Otherwise the small group's figure would follow from those of all and of the others (complementary suppression).
    """
    sizes: dict[str, dict[str, int]] = defaultdict(dict)
    for score in groups:
        known = sizes[score.column].get(score.group, score.cases)
        sizes[score.column][score.group] = min(known, score.cases)
    hidden = {column: _hidden(by_group, cell) for column, by_group in sizes.items()}
    return (score for score in groups if score.group not in hidden[score.column])


def _hidden(sizes: dict[str, int], cell: int) -> frozenset[str]:
    ordered = sorted(sizes, key=lambda group: (sizes[group], group))
    few = sum(size < cell for size in sizes.values())
    return frozenset(ordered[: 2 if few == 1 else few])


def _counts(coarse: dict[str, int], report: Report, cell: int) -> dict[str, int]:
    counts = {reason: count for reason, count in coarse.items() if reason == "cases" or not 0 < count < cell}
    scored = report.counts.get("scored")
    return counts if scored is None else {**counts, "scored": scored}
