"""Perturbations: seeded, pure changes of what applications are asked, for criteria of robustness.

perturbation_of(rule.under) -> Perturbation                    with its arguments
    .apply(columns, fields, seed, reference) -> columns         same rows, same order; identity at strength 0
perturbation_problems(rule.under, features) -> [Text]           before the freeze
PERTURBATIONS                                                   name -> class: parameters, kinds of column
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

from pilotbase.documents.contract import Field
from pilotbase.documents.criteria import Perturbed
from pilotbase.documents.errors import InputError, offer
from pilotbase.documents.texts import Text, text
from pilotbase.measures.perturbations import images, series, tabular, texts
from pilotbase.measures.perturbations.definition import ARMS, Perturbation, PerturbationParameter, kind_of

__all__ = [
    "PERTURBATIONS",
    "Perturbation",
    "PerturbationParameter",
    "kind_of",
    "perturbation_of",
    "perturbation_problems",
]

_KINDS: tuple[type[Perturbation], ...] = (
    tabular.GaussianNoise, tabular.Missing, tabular.UnitSlip, tabular.UnseenCategory,
    series.Stale, series.Gaps, series.ClockShift, series.Freeze,
    texts.Typos, texts.Ocr, texts.Paraphrase, texts.Width, texts.Script,
    series.Hiss, series.Loudness, series.Dropouts, series.Clipping, series.BandLimit,
    images.Blur, images.PixelNoise, images.Exposure, images.Crop, images.Jpeg,
    *ARMS,
)  # fmt: skip
PERTURBATIONS: Mapping[str, type[Perturbation]] = MappingProxyType({kind.name: kind for kind in _KINDS})


def perturbation_of(perturbed: Perturbed) -> Perturbation:
    """Return the perturbation that a rule names, with its arguments.

    Raises:
        InputError: ``measure.perturbation_problem``, with the first of what `perturbation_problems` would say.
    """
    problems = _own_problems(perturbed)
    if problems:
        raise InputError("measure.perturbation_problem", perturbation=str(perturbed), problem=problems[0])
    kind = PERTURBATIONS[perturbed.name]
    return kind({name: value for name, value in _values(kind, perturbed).items() if value is not None})


def perturbation_problems(perturbed: Perturbed, features: Sequence[Field]) -> list[Text]:
    """Return the problems of a perturbation on ``features``, in sentences; empty if it can be used."""
    own = _own_problems(perturbed)
    if own:
        return own
    found, made = [], perturbation_of(perturbed)
    known = {field.name: field for field in features}
    fitting = [field.name for field in features if kind_of(field) in made.kinds]
    for parameter in made.parameters:
        for column in made.names(parameter.name) if parameter.of_columns else ():
            allowed = fitting if parameter.many else list(known)
            if column not in allowed:
                values = {"perturbation": str(perturbed), "found": column, "allowed": offer(column, allowed)}
                found.append(text("measure.perturbation_column", **values))
    if not fitting:
        kinds = ", ".join(sorted(made.kinds))
        found.append(text("measure.perturbation_idle", perturbation=str(perturbed), allowed=kinds))
    return found


def _own_problems(perturbed: Perturbed) -> list[Text]:
    kind = PERTURBATIONS.get(perturbed.name)
    if kind is None:
        allowed = offer(perturbed.name, PERTURBATIONS)
        return [text("measure.unknown_perturbation", found=perturbed.name, allowed=allowed)]
    known = {parameter.name: parameter for parameter in kind.parameters}
    first = kind.parameters[0].name
    found = [
        text("measure.unknown_argument", measure=kind.name, found=name, allowed=offer(name, known))
        for name in perturbed.arguments
        if name not in known
    ]
    if perturbed.strength is not None and first in perturbed.arguments:
        found.append(text("measure.strength_twice", perturbation=str(perturbed), name=first))
    for name, value in _values(kind, perturbed).items():
        if value is None:
            found.append(text("measure.argument_missing", measure=kind.name, name=name))
        elif not known[name].admits(value):
            found.append(_out_of_range(kind, known[name], value))
    if not found and _values(kind, perturbed)[first] == 0:
        found.append(text("measure.perturbation_nothing", perturbation=str(perturbed)))
    return found


def _out_of_range(kind: type[Perturbation], parameter: PerturbationParameter, value: Decimal | str) -> Text:
    allowed = [f"{parameter.low:f} … {parameter.high:f}", *parameter.words]
    values = {"perturbation": kind.name, "name": parameter.name, "found": str(value), "allowed": ", ".join(allowed)}
    return text("measure.perturbation_argument", **values)


def _values(kind: type[Perturbation], perturbed: Perturbed) -> dict[str, Decimal | str | None]:
    """Return a value for each parameter, None if a required one is missing."""
    given = {
        parameter.name: perturbed.arguments.get(parameter.name, parameter.default) for parameter in kind.parameters
    }
    if perturbed.strength is not None:
        given[kind.parameters[0].name] = perturbed.strength
    return given
