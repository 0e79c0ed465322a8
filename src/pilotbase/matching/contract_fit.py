"""Data-contract fit: which parts of what an application was made for a scenario's contract fulfils.

Names are compared without case, width and separators (``Air temperature [K]`` is ``air_temperature_k``); of types a
whole number serves where a number is asked; a unit that one side does not say is no obstacle.
"""

from __future__ import annotations

from collections.abc import Iterator
from unicodedata import normalize

from pilotbase.documents.contract import DataType, Field
from pilotbase.documents.matching import ContractFit, Lacking
from pilotbase.documents.texts import Text, text
from pilotbase.matching.pairs import CaseContract, plain_name

_SERVES: dict[DataType, frozenset[DataType]] = {
    DataType.INTEGER: frozenset({DataType.INTEGER, DataType.FLOAT}),
    DataType.BOOLEAN: frozenset({DataType.BOOLEAN, DataType.INTEGER}),
    DataType.DATETIME: frozenset({DataType.DATETIME, DataType.DATE}),
}
"""Type that a scenario has → types that it serves where an application asks for them."""


def contract_fit(need: CaseContract, made_for: CaseContract) -> ContractFit:
    """Return how much of ``made_for``, the contract that an application was made for, ``need`` fulfils."""
    told = [*_features(need, made_for), *_answer(need, made_for)]
    return ContractFit(
        share=share_of(need, made_for),
        fitting=tuple(name for name, why in told if why is None),
        lacking=tuple(Lacking(field=name, why=why) for name, why in told if why is not None),
    )


def share_of(need: CaseContract, made_for: CaseContract) -> float:
    """Return `contract_fit`'s share alone: without its columns an application has nothing to answer, however asked."""
    return _share(_features(need, made_for)) * _share(_answer(need, made_for))


def _share(parts: Iterator[tuple[str, Text | None]]) -> float:
    told = [why is None for _, why in parts]
    return sum(told) / len(told)


def _features(need: CaseContract, made_for: CaseContract) -> Iterator[tuple[str, Text | None]]:
    """Yield each column that goes in with what is wrong with it in ``need``, or None."""
    for name, feature in made_for.by_name.items():
        yield feature.name, _obstacle(need.by_name.get(name), feature)


def _answer(need: CaseContract, made_for: CaseContract) -> Iterator[tuple[str, Text | None]]:
    """Yield each part of what comes out with what is wrong with it in ``need``, or None."""
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
        return text("match.no_field")
    serves = _SERVES.get(there.data_type, frozenset({there.data_type}))
    if wanted.data_type not in serves:
        return text("match.other_type", found=there.data_type.value, wanted=wanted.data_type.value)
    if there.unit and wanted.unit and _unit(there.unit) != _unit(wanted.unit):
        return text("match.other_unit", found=there.unit, wanted=wanted.unit)
    return None


def _unit(unit: str) -> str:
    """Return a unit without spaces and width; case stays: a millipascal is no megapascal."""
    return "".join(normalize("NFKC", unit).split())
