"""Hard constraints: each fits, is refused with its reason, or cannot be told because one side does not say."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pilotbase.documents.limits import IsolationLevel
from pilotbase.documents.matching import Check
from pilotbase.documents.quantities import format_mebibytes
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Constraint, Fit
from pilotbase.matching.pairs import ApplicationOffer, Need, ProvenPair


def check_all(need: Need, offer: ApplicationOffer, proofs: Iterable[ProvenPair] = ()) -> tuple[Check, ...]:
    """Return the checks of one pair; what the scenario does not ask and the application does not limit has none.

    ``proofs`` are certificates of this application: they show in which isolation it has worked.
    """
    checks = [check for one in _CHECKS if (check := one(need, offer)) is not None]
    return (*checks, _isolation(need, offer, proofs))


def fit_of(checks: Iterable[Check]) -> Fit:
    """Return the fit of all checks together: the worst of them."""
    found = {check.fit for check in checks}
    return next((fit for fit in (Fit.REFUSED, Fit.MISSING) if fit in found), Fit.FITS)


def _data(need: Need, offer: ApplicationOffer) -> Check | None:
    may_leave, sends = need.conditions.data_may_leave, offer.terms.sends_data
    if may_leave is None and not sends:
        return None
    if may_leave is None:
        return _missing(Constraint.DATA, text("match.data_unsaid"))
    if may_leave:
        return _fits(Constraint.DATA, text("match.data_may_leave"))
    if sends is None:
        return _missing(Constraint.DATA, text("match.sending_unsaid"))
    return _told(Constraint.DATA, not sends, text("match.data_stays"), text("match.data_would_leave"))


def _licence(need: Need, offer: ApplicationOffer) -> Check | None:
    allowed = need.conditions.licences
    if allowed is None:
        return None
    if offer.licence is None:
        return _missing(Constraint.LICENCE, text("match.licence_unsaid"))
    known = {one.casefold() for one in allowed}
    return _told(
        Constraint.LICENCE,
        offer.licence.casefold() in known,
        text("match.licence_allowed", licence=offer.licence),
        text("match.licence_refused", licence=offer.licence, allowed=allowed),
    )


def _environment(need: Need, offer: ApplicationOffer) -> Check | None:
    limits, wanted = need.limits, offer.resources
    if wanted is None:
        return _missing(Constraint.ENVIRONMENT, text("match.resources_unsaid"))
    if wanted.threads > limits.threads:
        why = text("match.too_many_threads", wanted=wanted.threads, allowed=limits.threads)
        return Check(constraint=Constraint.ENVIRONMENT, fit=Fit.REFUSED, why=why)
    if wanted.memory is None:
        return _missing(Constraint.ENVIRONMENT, text("match.memory_unsaid"))
    sizes = {"wanted": format_mebibytes(wanted.memory), "allowed": format_mebibytes(limits.memory_bytes)}
    return _told(
        Constraint.ENVIRONMENT,
        wanted.memory <= limits.memory_bytes,
        text("match.resources_fit", **sizes),
        text("match.too_much_memory", **sizes),
    )


def _language(need: Need, offer: ApplicationOffer) -> Check | None:
    asked = need.conditions.languages
    if not asked:
        return None
    known = offer.terms.languages
    if known is None:
        return _missing(Constraint.LANGUAGE, text("match.languages_unsaid", asked=asked))
    lacking = [one for one in asked if one not in known]
    return _told(
        Constraint.LANGUAGE,
        not lacking,
        text("match.languages_fit", asked=asked),
        text("match.languages_lacking", lacking=lacking, known=known),
    )


def _region(need: Need, offer: ApplicationOffer) -> Check | None:
    place, allowed = need.conditions.region, offer.terms.regions
    if place is None and allowed is None:
        return None
    if place is None:
        return _missing(Constraint.REGION, text("match.region_unsaid", allowed=allowed))
    if allowed is None:
        return _missing(Constraint.REGION, text("match.regions_unsaid", region=place))
    covered = any(place == one or place.startswith(f"{one}-") for one in allowed)
    return _told(
        Constraint.REGION,
        covered,
        text("match.region_covered", region=place),
        text("match.region_refused", region=place, allowed=allowed),
    )


def _answer(need: Need, offer: ApplicationOffer) -> Check | None:
    if offer.contract is None:
        return _missing(Constraint.ANSWER, text("match.contract_unknown"))
    asked, made = need.contract.task, offer.contract.task
    kinds = {"asked": text(f"match.task.{asked}"), "made": text(f"match.task.{made}")}
    return _told(
        Constraint.ANSWER, asked == made, text("match.answer_fits", **kinds), text("match.answer_refused", **kinds)
    )


_CHECKS: tuple[Callable[[Need, ApplicationOffer], Check | None], ...] = (
    _data,
    _licence,
    _environment,
    _language,
    _region,
    _answer,
)


def _isolation(need: Need, offer: ApplicationOffer, proofs: Iterable[ProvenPair]) -> Check:
    asked, declared = need.isolation, offer.terms.isolation
    proven = max((proof.isolation for proof in proofs), default=None, key=_order)
    if proven is not None and _order(proven) >= _order(asked):
        return _fits(Constraint.ISOLATION, text("match.isolation_proven", level=asked, proven=proven))
    if declared is None:
        return _missing(Constraint.ISOLATION, text("match.isolation_unsaid", level=asked))
    return _told(
        Constraint.ISOLATION,
        _order(declared) >= _order(asked),
        text("match.isolation_fits", level=asked),
        text("match.isolation_refused", level=asked, declared=declared),
    )


def _order(level: IsolationLevel) -> int:
    return list(IsolationLevel).index(level)


def _told(constraint: Constraint, fits: bool, why: Text, why_not: Text) -> Check:
    return Check(constraint=constraint, fit=Fit.FITS if fits else Fit.REFUSED, why=why if fits else why_not)


def _fits(constraint: Constraint, why: Text) -> Check:
    return Check(constraint=constraint, fit=Fit.FITS, why=why)


def _missing(constraint: Constraint, why: Text) -> Check:
    return Check(constraint=constraint, fit=Fit.MISSING, why=why)
