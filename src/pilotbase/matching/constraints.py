"""Whether a pair fits: hard constraints with their reasons, and which parts of a contract an application fulfils.

Names are compared without case, width and separators (``Air temperature [K]`` is ``air_temperature_k``). A whole
number is accepted where a number is required. A unit that one side doesn't state is no obstacle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from unicodedata import normalize

from pilotbase.documents.contract import DataType, Field
from pilotbase.documents.limits import IsolationLevel
from pilotbase.documents.matching import Check, ContractFit, Lacking
from pilotbase.documents.quantities import format_mebibytes
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Constraint, Fit
from pilotbase.matching.pairs import ApplicationOffer, CaseContract, Need, ProvenPair, plain_name

Finding = tuple[Fit, Text]
_SERVES: dict[DataType, frozenset[DataType]] = {
    DataType.INTEGER: frozenset({DataType.INTEGER, DataType.FLOAT}),
    DataType.BOOLEAN: frozenset({DataType.BOOLEAN, DataType.INTEGER}),
    DataType.DATETIME: frozenset({DataType.DATETIME, DataType.DATE}),
}
"""Type that a scenario provides → types it is accepted as when an application requires them."""

_NO_FIELD = text("match.no_field")


def check_all(need: Need, offer: ApplicationOffer, proofs: Iterable[ProvenPair] = ()) -> tuple[Check, ...]:
    """Return the checks of one pair; there is no check where the scenario requires and the application limits nothing.

    ``proofs`` are certificates of this application: they show the isolation level at which it ran.
    """
    checks = _CHECKS.items() if offer.capability is None else _OF_WORK.items()
    found = {constraint: check(need, offer) for constraint, check in checks}
    if offer.capability is None:
        found[Constraint.ISOLATION] = _isolation(need, offer, proofs)
    return tuple(Check(constraint=one, fit=told[0], why=told[1]) for one, told in found.items() if told is not None)


def fit_of(checks: Iterable[Check]) -> Fit:
    """Return the overall fit of the checks: the worst of them."""
    found = {check.fit for check in checks}
    return next((fit for fit in (Fit.REFUSED, Fit.MISSING) if fit in found), Fit.FITS)


def _data(need: Need, offer: ApplicationOffer) -> Finding | None:
    may_leave, sends = need.conditions.data_may_leave, offer.terms.sends_data
    if may_leave is None and not sends:
        return None
    if may_leave is None:
        return Fit.MISSING, text("match.data_unsaid")
    if may_leave:
        return Fit.FITS, text("match.data_may_leave")
    if sends is None:
        return Fit.MISSING, text("match.sending_unsaid")
    return _told(not sends, text("match.data_stays"), text("match.data_would_leave"))


def _licence(need: Need, offer: ApplicationOffer) -> Finding | None:
    allowed = need.conditions.licences
    if allowed is None:
        return None
    if offer.licence is None:
        return Fit.MISSING, text("match.licence_unsaid")
    known = {one.casefold() for one in allowed}
    return _told(
        offer.licence.casefold() in known,
        text("match.licence_allowed", licence=offer.licence),
        text("match.licence_refused", licence=offer.licence, allowed=allowed),
    )


def _environment(need: Need, offer: ApplicationOffer) -> Finding | None:
    limits, wanted = need.limits, offer.resources
    if limits is None:
        return None
    if wanted is None:
        return Fit.MISSING, text("match.resources_unsaid")
    if wanted.threads > limits.threads:
        return Fit.REFUSED, text("match.too_many_threads", wanted=wanted.threads, allowed=limits.threads)
    if wanted.memory is None:
        return Fit.MISSING, text("match.memory_unsaid")
    sizes = {"wanted": format_mebibytes(wanted.memory), "allowed": format_mebibytes(limits.memory_bytes)}
    return _told(
        wanted.memory <= limits.memory_bytes,
        text("match.resources_fit", **sizes),
        text("match.too_much_memory", **sizes),
    )


def _language(need: Need, offer: ApplicationOffer) -> Finding | None:
    asked = need.conditions.languages
    if not asked:
        return None
    known = offer.terms.languages
    if known is None:
        return Fit.MISSING, text("match.languages_unsaid", asked=asked)
    lacking = [one for one in asked if one not in known]
    return _told(
        not lacking,
        text("match.languages_fit", asked=asked),
        text("match.languages_lacking", lacking=lacking, known=known),
    )


def _region(need: Need, offer: ApplicationOffer) -> Finding | None:
    place, allowed = need.conditions.region, offer.terms.regions
    if place is None and allowed is None:
        return None
    if place is None:
        return Fit.MISSING, text("match.region_unsaid", allowed=allowed)
    if allowed is None:
        return Fit.MISSING, text("match.regions_unsaid", region=place)
    covered = any(place == one or place.startswith(f"{one}-") for one in allowed)
    return _told(
        covered, text("match.region_covered", region=place), text("match.region_refused", region=place, allowed=allowed)
    )


def _constraint_answer(need: Need, offer: ApplicationOffer) -> Finding | None:
    if need.contract is None:
        return Fit.MISSING, text("match.no_data_yet")
    if offer.contract is None:
        return Fit.MISSING, text("match.contract_unknown")
    asked, made = need.contract.task, offer.contract.task
    kinds = {"asked": text(f"match.task.{asked}"), "made": text(f"match.task.{made}")}
    return _told(asked == made, text("match.answer_fits", **kinds), text("match.answer_refused", **kinds))


_CHECKS: Mapping[Constraint, Callable[[Need, ApplicationOffer], Finding | None]] = {
    Constraint.DATA: _data,
    Constraint.LICENCE: _licence,
    Constraint.ENVIRONMENT: _environment,
    Constraint.LANGUAGE: _language,
    Constraint.REGION: _region,
    Constraint.ANSWER: _constraint_answer,
}


_OF_WORK: Mapping[Constraint, Callable[[Need, ApplicationOffer], Finding | None]] = {
    Constraint.LANGUAGE: _language,
    Constraint.REGION: _region,
}
"""What limits the work of an organisation or an expert."""


def _isolation(need: Need, offer: ApplicationOffer, proofs: Iterable[ProvenPair]) -> Finding | None:
    asked, declared = need.isolation, offer.terms.isolation
    if asked is None:
        return None
    proven = max((proof.isolation for proof in proofs), default=None, key=_order)
    if proven is not None and _order(proven) >= _order(asked):
        return Fit.FITS, text("match.isolation_proven", level=asked, proven=proven)
    if declared is None:
        return Fit.MISSING, text("match.isolation_unsaid", level=asked)
    return _told(
        _order(declared) >= _order(asked),
        text("match.isolation_fits", level=asked),
        text("match.isolation_refused", level=asked, declared=declared),
    )


def _order(level: IsolationLevel) -> int:
    return list(IsolationLevel).index(level)


def _told(fits: bool, why: Text, why_not: Text) -> Finding:
    return (Fit.FITS, why) if fits else (Fit.REFUSED, why_not)


def contract_fit(need: CaseContract, made_for: CaseContract) -> ContractFit:
    """Return how much of ``made_for``, the contract that an application was built for, ``need`` fulfils."""
    told = [*_features(need, made_for), *_contract_answer(need, made_for)]
    return ContractFit(
        share=share_of(need, made_for),
        fitting=tuple(name for name, why in told if why is None),
        lacking=tuple(Lacking(field=name, why=why) for name, why in told if why is not None),
    )


def share_of(need: CaseContract, made_for: CaseContract) -> float:
    """Return only the share of `contract_fit`: an application without its input columns can't answer at all."""
    return _share(_features(need, made_for)) * _share(_contract_answer(need, made_for))


def _share(parts: Iterator[tuple[str, Text | None]]) -> float:
    told = [why is None for _, why in parts]
    return sum(told) / len(told)


def _features(need: CaseContract, made_for: CaseContract) -> Iterator[tuple[str, Text | None]]:
    """Yield each input column with what is wrong with it in ``need``, or None."""
    for name, feature in made_for.by_name.items():
        yield feature.name, _obstacle(need.by_name.get(name), feature)


def _contract_answer(need: CaseContract, made_for: CaseContract) -> Iterator[tuple[str, Text | None]]:
    """Yield each part of the answer with what is wrong with it in ``need``, or None."""
    target = made_for.target
    same = need.target if plain_name(need.target.name) == plain_name(target.name) else None
    yield target.name, _obstacle(same, target) if same else text("match.other_target", found=need.target.name)
    kinds = {"asked": text(f"match.answer.{need.answer}"), "made": text(f"match.answer.{made_for.answer}")}
    yield "prediction", None if need.answer == made_for.answer else text("match.other_answer", **kinds)
    if made_for.positive is not None or need.positive is not None:
        fits = made_for.positive == need.positive
        named = {"asked": need.positive or "–", "made": made_for.positive or "–"}
        yield "positive", None if fits else text("match.other_class", **named)


def _obstacle(there: Field | None, wanted: Field) -> Text | None:
    if there is None:
        return _NO_FIELD
    serves = _SERVES.get(there.data_type, frozenset({there.data_type}))
    if wanted.data_type not in serves:
        return text("match.other_type", found=there.data_type.value, wanted=wanted.data_type.value)
    if there.unit and wanted.unit and _unit(there.unit) != _unit(wanted.unit):
        return text("match.other_unit", found=there.unit, wanted=wanted.unit)
    return None


def _unit(unit: str) -> str:
    """Return a unit without spaces and width; case is kept: a millipascal isn't a megapascal."""
    return "".join(normalize("NFKC", unit).split())
