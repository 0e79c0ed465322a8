"""From a report to a signed certificate. Rejections and inconclusive trials are signed too; rehearsals never.

A certificate makes one claim: what was shown, with which error probability, under which assumptions.
A result without an error probability (a full census, a
measured run, a descriptive score) says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from pilotbase.certificate.envelope import PAYLOAD_TYPE, Envelope, seal, write_statement
from pilotbase.certificate.trust import TrustFolder
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.door import ModelDoor
from pilotbase.documents.endpoint import EndpointStatement
from pilotbase.documents.errors import InvalidProofError, RefusedError
from pilotbase.documents.hashes import abbreviated
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.quantities import write_at_most
from pilotbase.documents.report import Attempt, CriterionResult, Finding, Report
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Estimand, Outcome, Verdict, weakest

NO_SEPARATION_OF_DUTIES = text("certificate.remark.no_separation")
"""For a base run by one person: the person who ran the trial also signed."""
_SIMULATED_DATA = text("certificate.remark.simulated")
BLOCK = "request_block"
"""The unit of a criterion that is judged by blocks of a run's requests."""
_CAPPED = "evidence.claim.blocks_capped"
"""The claim about blocks whose seconds count up to a cap."""
_WITH_ERROR_PROBABILITY = frozenset({"exact_fixed", "exact_anytime", "asymptotic"})


def issue_certificate(
    report: Report,
    plan: TrialPlan,
    *,
    issuer: str,
    now: datetime,
    expires_at: datetime,
    remarks: tuple[Text, ...] = (NO_SEPARATION_OF_DUTIES,),
) -> Certificate:
    """Return the certificate for the ``report`` of a trial under ``plan``: a full report, or one released by a site.

    Raises:
        RefusedError: the report is from a rehearsal or is a supplier's view.
        InvalidProofError: the report is for another plan.
    """
    scenario, attempt = report.scenario, report.attempt
    if not report.evidence or scenario is None or attempt is None:
        raise RefusedError("certificate.no_evidence", application=report.application.name)
    if report.view == "supplier":
        raise RefusedError("certificate.partial_view")
    if report.plan != plan.digest() or report.application != plan.application or scenario != plan.scenario:
        raise InvalidProofError("certificate.other_plan", plan=plan.digest(), report=report.plan)
    simulated = (_SIMULATED_DATA,) if report.data_nature == "simulated" else ()
    if plan.contract.world is not None:
        simulated = (text("certificate.remark.world", world=abbreviated(plan.contract.world)),)
    endpoint = None if report.endpoint is None else report.endpoint.statement
    kept = () if endpoint is None else (endpoint_remark(endpoint),)
    kept = kept if report.door is None else (*kept, model_remark(report.door.terms))
    again = () if report.asked_again is None else (_again_remark(report.asked_again),)
    digest = report.digest()
    return Certificate(
        serial=digest,
        verdict=report.verdict,
        application=report.application,
        scenario=scenario,
        plan=plan.digest(),
        report=digest,
        attempt=attempt.number,
        claim=claim_sentence(report, plan),
        criteria=tuple(result.rule for result in report.criteria),
        guarantee=weakest_guarantee(report.criteria),
        isolation=report.isolation.level.value,
        not_measured=_not_measured(report),
        remarks=(*remarks, *simulated, *kept, *again),
        endpoint=endpoint,
        model=None if report.door is None else report.door.terms.statement,
        carries=plan.carries,
        issued_at=now,
        expires_at=expires_at,
        issuer=issuer,
    )


def endpoint_remark(endpoint: EndpointStatement) -> Text:
    """Return what a certificate states in place of a model digest."""
    model = " ".join(filter(None, (endpoint.model, endpoint.version)))
    days = {"since": endpoint.period.since, "until": endpoint.period.until}
    return text("certificate.remark.endpoint", url=endpoint.url, model=model, **days)


def model_remark(door: ModelDoor) -> Text:
    """Return which model of the base a certificate holds with."""
    model = door.model
    named = " ".join(filter(None, (model.model, model.version, abbreviated(model.digest or ""))))
    days = {"since": model.period.since, "until": model.period.until}
    return text("certificate.remark.model", model=named, url=model.url, sampling=door.sampling.spelled(), **days)


def _again_remark(found: Finding) -> Text:
    """Return what the cases that were asked again have shown, without any figure that the application chooses."""
    return found.sentence if found.outcome is Outcome.PASS else text("trial.reason.depends")


def sign_certificate(certificate: Certificate, trust: TrustFolder) -> Envelope:
    """Return ``certificate`` as a signed statement that includes the delegations of the signing key.

    Raises:
        RefusedError: the signing key doesn't cover the certificate's whole validity (it was issued before a rotation,
            or expires after the key), it names another issuer, or the key file doesn't exist.
    """
    if certificate.issuer != trust.issuer:
        raise RefusedError("certificate.other_issuer", folder=trust.path, found=trust.issuer, issuer=certificate.issuer)
    begins, ends = trust.signing_span()
    if not begins <= certificate.issued_at < certificate.expires_at <= ends:
        raise RefusedError(
            "certificate.outside_key",
            begins=begins.date(),
            ends=ends.date(),
            issued=certificate.issued_at.date(),
            expires=certificate.expires_at.date(),
        )
    return seal(PAYLOAD_TYPE, write_statement(certificate), trust.signing_key(), trust.chain)


def claim_sentence(report: Report, plan: TrialPlan) -> Text:
    """Return, in one sentence, what the full ``report`` of a trial under ``plan`` shows.

    Raises:
        RefusedError: the report isn't evidence (a rehearsal), or it is a supplier's view, which lacks the number of
            cases.
    """
    attempt = report.attempt
    if not report.evidence or attempt is None:
        raise RefusedError("certificate.no_evidence", application=report.application.name)
    if attempt.scored is None:
        raise RefusedError("certificate.partial_view")
    return text(
        f"certificate.claim.{report.verdict.value}",
        application=f"{report.application.name} {report.application.version}",
        digest=abbreviated(report.application.digest),
        plan=abbreviated(plan.digest()),
        scored=_count(attempt.scored if attempt.rests is None else attempt.rests.cases),
        cases=_count(attempt.reserved),
        shown=_joined([_shown(report, attempt), *_floor(report, plan), *_carried(report, plan)]),
        assumptions=_assumptions(report.criteria),
    )


def weakest_guarantee(criteria: Iterable[CriterionResult]) -> str:
    """Return the weakest kind of guarantee among ``criteria``."""
    return weakest([result.guarantee for result in criteria] or ["descriptive"])


def _not_measured(report: Report) -> tuple[str, ...]:
    found: list[str] = []
    for section in report.sections:
        if section.outcome is Outcome.NOT_MEASURED:
            found.append(section.verification.value)
            continue
        missing = [finding.check for finding in section.findings if finding.outcome is Outcome.NOT_MEASURED]
        found += [f"{section.verification.value}: {check}" for check in missing]
    return tuple(found)


def _shown(report: Report, attempt: Attempt) -> Text:
    if report.verdict is Verdict.INCONCLUSIVE:
        return _left_open(report, attempt)
    rejected = report.verdict is Verdict.REJECT
    shown = [result for result in report.criteria if result.outcome is Outcome.FAIL or not rejected]
    bounded = [result for result in shown if result.guarantee in _WITH_ERROR_PROBABILITY]
    exact = [result for result in shown if result.guarantee == "exact_census"]
    observed = [result for result in shown if result not in bounded and result not in exact]
    missed = "_missed" if rejected else ""
    parts = [_error_probability(f"certificate.shown.{report.verdict.value}", bounded, attempt)] if bounded else []
    parts += [text(f"certificate.shown.census{missed}", criteria=_rules(exact))] if exact else []
    parts += [text(f"certificate.shown.observed{missed}", criteria=_rules(observed))] if observed else []
    return _joined(parts) if parts else _reason(report)


def _reason(report: Report) -> Text:
    reason = report.reasons[0]
    tested = reason.code == "trial.reason.depends"
    return text("certificate.shown.tested" if tested else "certificate.shown.reason", reason=reason)


def _carried(report: Report, plan: TrialPlan) -> Iterator[Text]:
    """Yield which version the criteria with ``lift`` compare with, once they are met."""
    carries = plan.carries
    if carries is not None and report.verdict is Verdict.ACCEPT:
        yield text(
            "certificate.shown.carried",
            version=carries.application.version,
            certificates=", ".join(abbreviated(one) for one in carries.certificates),
        )


def _floor(report: Report, plan: TrialPlan) -> Iterator[Text]:
    """Yield how much an accept rests on at least; not how much it does, which would count hidden labels."""
    floor = plan.design.accept_from
    if floor is not None and report.verdict is Verdict.ACCEPT:
        yield text("certificate.shown.floor", floor=floor.in_words)


def _left_open(report: Report, attempt: Attempt) -> Text:
    undecided = [result for result in report.criteria if result.outcome in (Outcome.INCONCLUSIVE, Outcome.NOT_MEASURED)]
    spent = text(
        "certificate.shown.spent", alpha=write_at_most(attempt.alpha), total=write_at_most(attempt.alpha_of_all)
    )
    if not undecided:
        return _joined([text("certificate.shown.reason", reason=report.reasons[0]), spent])
    return _joined([text("certificate.shown.open", criteria=_rules(undecided)), spent])


def _error_probability(code: str, criteria: Sequence[CriterionResult], attempt: Attempt) -> Text:
    asymptotic = any(result.guarantee == "asymptotic" for result in criteria)
    return text(
        code,
        criteria=_rules(criteria),
        estimand=_estimand(criteria, attempt),
        alpha=write_at_most(attempt.alpha),
        total=write_at_most(attempt.alpha_of_all),
        exactness=text(f"certificate.exactness.{'asymptotic' if asymptotic else 'exact'}"),
    )


def _estimand(criteria: Sequence[CriterionResult], attempt: Attempt) -> Text:
    of_cases = [result for result in criteria if result.unit != BLOCK]
    if not of_cases:
        return text("certificate.of.runs")
    if len(of_cases) < len(criteria):
        return text("certificate.of.with_runs", first=_estimand(of_cases, attempt))
    found = {result.estimand for result in criteria}
    if found == {Estimand.POPULATION}:
        return text("certificate.of.population")
    if found == {Estimand.HIDDEN_SET}:
        return text("certificate.of.hidden_set", cases=_count(attempt.reserved))
    return text("certificate.of.both", cases=_count(attempt.reserved))


def _assumptions(criteria: Sequence[CriterionResult]) -> Text:
    bounded = [result for result in criteria if result.guarantee in _WITH_ERROR_PROBABILITY]
    if not bounded:
        return text("certificate.assuming.records")
    of_cases = [result for result in bounded if result.unit != BLOCK]
    if len(of_cases) < len(bounded):
        blocks = text("certificate.assuming.blocks")
        for capped in [one.claim for one in bounded if one.claim.code == _CAPPED][:1]:
            longest = text("certificate.assuming.capped", most=capped.params["most"])
            blocks = text("certificate.assuming.and", first=blocks, next=longest)
        return text("certificate.assuming.and", first=_assumptions(of_cases), next=blocks) if of_cases else blocks
    units = list(dict.fromkeys(result.unit for result in bounded))
    unit = text("certificate.unit.case") if units == ["case"] else text("certificate.unit.named", names=units)
    population = [result for result in bounded if result.estimand is Estimand.POPULATION]
    if not population:
        return text("certificate.assuming.hidden_set", unit=unit)
    assumed = text("certificate.assuming.population", unit=unit)
    if any(result.unit != "case" for result in population):
        assumed = text("certificate.assuming.and", first=assumed, next=text("certificate.assuming.each_unit"))
    if any(parse_rule(result.rule).by is not None for result in population):
        assumed = text("certificate.assuming.and", first=assumed, next=text("certificate.assuming.seen_groups"))
    return assumed


def _joined(parts: Sequence[Text]) -> Text:
    whole = parts[0]
    for part in parts[1:]:
        whole = text("certificate.shown.both", first=whole, second=part)
    return whole


def _rules(criteria: Iterable[CriterionResult]) -> str:
    return ", ".join(result.rule for result in criteria)


def _count(value: int) -> str:
    return f"{value:,}"
