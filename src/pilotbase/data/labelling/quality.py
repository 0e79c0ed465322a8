"""How good the labels of a campaign are: agreement of blind annotators with intervals, and the result of an audit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pilotbase.data.labelling.agreement import (
    LabelledTwice,
    Statistic,
    agreement_interval,
    cohen_kappa,
    interval_alpha,
    nominal_alpha,
    ordinal_alpha,
    value_of,
)
from pilotbase.data.labelling.final_labels import disagreements
from pilotbase.data.labelling.gathering import Annotation, Gathered
from pilotbase.documents.labelling import ClassAgreement, ConfusedPair, LabelledItem, LabellingCampaign, LabelQuality
from pilotbase.documents.quality import FigureName, LabelAudit, LabelFigure, Unmeasured
from pilotbase.documents.texts import Text, text
from pilotbase.evidence.distributions import wilson
from pilotbase.evidence.primitive import Ints

FEWEST = 2
"""With fewer double-labelled items nothing is reported about agreement."""


@dataclass(frozen=True)
class _Doubles:
    """The items labelled by several; on a scale of classes with how often each class was given."""

    given: tuple[tuple[Annotation, ...], ...]
    items: LabelledTwice
    counts: Ints
    """(items, classes); no classes on an interval scale."""


def label_quality(
    campaign: LabellingCampaign,
    gathered: Gathered,
    items: Sequence[LabelledItem] = (),
    audit: LabelAudit | None = None,
) -> LabelQuality:
    """Return the quality of the labels; agreement is that before any decision, whatever ``items`` contain."""
    doubles = _doubles(campaign, gathered)
    decided = sum(one.how == "decided" for one in items)
    return LabelQuality(
        campaign=campaign.digest(),
        guideline=campaign.guideline.version,
        scale=campaign.scale,
        items=len(gathered.by_item),
        labels=len(gathered.annotations),
        double_labelled=doubles.items.total,
        disagreements=doubles.items.differing,
        adjudicated=decided,
        undecided=doubles.items.differing - decided,
        figures=(_raw(doubles), _kappa(campaign, doubles), _alpha(campaign, doubles), _accuracy(audit)),
        by_class=_by_class(campaign, doubles),
        confusion=_confusion(campaign, doubles),
        audit=audit,
    )


def _doubles(campaign: LabellingCampaign, gathered: Gathered) -> _Doubles:
    given = tuple(labels for labels in gathered.by_item.values() if len(labels) > 1)
    places = {label: place for place, label in enumerate(campaign.classes)}
    counts = np.zeros((len(given), len(places)), dtype=np.int64)
    if places:
        for item, labels in enumerate(given):
            for one in labels:
                counts[item, places[one.label]] += 1
    return _Doubles(given, LabelledTwice(len(given), len(disagreements(campaign, gathered))), counts)


def _raw(doubles: _Doubles) -> LabelFigure:
    """Return the share of double-labelled items on which all agree."""
    total, differing = doubles.items
    if not total:
        return _not_measured("raw_agreement", total, "too_few_items")
    share = wilson(total - differing, total)
    return LabelFigure(measure="raw_agreement", items=total, method="wilson", **share._asdict())


def _kappa(campaign: LabellingCampaign, doubles: _Doubles) -> LabelFigure:
    annotators = sorted({one.annotator for labels in doubles.given for one in labels})
    if campaign.scale == "interval":
        return _not_measured("cohen_kappa", doubles.items.total, "numbers")
    if len(annotators) != 2:
        reason: Unmeasured = "not_two_annotators" if annotators else "too_few_items"
        return _not_measured("cohen_kappa", doubles.items.total, reason)
    places = {label: place for place, label in enumerate(campaign.classes)}
    by_name = [{one.annotator: places[one.label] for one in labels} for labels in doubles.given]
    first, second = (np.array([labels[name] for labels in by_name]) for name in annotators)
    return _beyond_chance("cohen_kappa", cohen_kappa(first, second, len(places)), doubles, nominal=True)


def _alpha(campaign: LabellingCampaign, doubles: _Doubles) -> LabelFigure:
    if not doubles.items.total:
        return _not_measured("krippendorff_alpha", 0, "too_few_items")
    if campaign.scale == "interval":
        statistic = _interval(doubles)
    else:
        statistic = (nominal_alpha if campaign.scale == "nominal" else ordinal_alpha)(doubles.counts)
    return _beyond_chance("krippendorff_alpha", statistic, doubles, campaign.scale == "nominal")


def _interval(doubles: _Doubles) -> Statistic:
    """Return alpha of numbers; the choice of zero changes nothing, so it is put among them, against rounding."""
    numbers = [np.array([float(one.label) for one in labels]) for labels in doubles.given]
    everything = np.concatenate(numbers)
    centre, span = everything.mean(), float(np.ptp(everything)) or 1.0
    scaled = [(each - centre) / span for each in numbers]
    sizes = np.array([len(each) for each in scaled])
    return interval_alpha(
        sizes, np.array([each.sum() for each in scaled]), np.array([(each**2).sum() for each in scaled])
    )


def _beyond_chance(measure: FigureName, statistic: Statistic, doubles: _Doubles, nominal: bool) -> LabelFigure:
    """Return a coefficient with its interval; if all labels are the same class it is not measured, and never 1."""
    items = doubles.items
    if items.total < FEWEST:
        return _not_measured(measure, items.total, "too_few_items")
    value = value_of(statistic, items.total)
    if math.isnan(value):
        return _not_measured(measure, items.total, "one_class")
    bounds = agreement_interval(statistic, items, 1 / _chance_of_difference(doubles.counts) if nominal else None)
    if bounds is None:
        return LabelFigure(measure=measure, items=items.total, value=value, unmeasured="no_disagreement")
    return LabelFigure(
        measure=measure, items=items.total, value=value, lower=bounds.lower, upper=bounds.upper, method="wider_of_two"
    )


def _chance_of_difference(counts: Ints) -> float:
    """Return how often two labels drawn from all would differ."""
    shares = counts.sum(axis=0) / counts.sum()
    return float(1 - (shares**2).sum())


def _accuracy(audit: LabelAudit | None) -> LabelFigure:
    if audit is None:
        return _not_measured("label_accuracy", 0, "not_audited")
    share = wilson(audit.correct, audit.audited)
    return LabelFigure(measure="label_accuracy", items=audit.audited, method="wilson", **share._asdict())


def _by_class(campaign: LabellingCampaign, doubles: _Doubles) -> tuple[ClassAgreement, ...]:
    """Return the positive agreement of each class.

    Source: Fleiss, Levin & Paik, "Statistical Methods for Rates and Proportions", 3rd edition, 2003, section 18.1
    (proportion of specific agreement), over all pairs of an item's labels.
    """
    counts = doubles.counts
    sizes = counts.sum(axis=1, keepdims=True)
    weights = 1 / np.maximum(sizes - 1, 1)
    met, given = (counts * (counts - 1) * weights).sum(axis=0), counts.sum(axis=0)
    return tuple(
        ClassAgreement(label=label, labels=int(number), value=min(float(same / number), 1.0) if number else None)
        for label, same, number in zip(campaign.classes, met, given, strict=True)
    )


def _confusion(campaign: LabellingCampaign, doubles: _Doubles) -> tuple[ConfusedPair, ...]:
    counts, classes = doubles.counts, campaign.classes
    met = counts.T @ counts
    same = (counts * (counts - 1)).sum(axis=0) // 2
    return tuple(
        ConfusedPair(first=classes[i], second=classes[j], pairs=int(pairs))
        for i in range(len(classes))
        for j in range(i, len(classes))
        if (pairs := same[i] if i == j else met[i, j])
    )


def _not_measured(measure: FigureName, items: int, reason: Unmeasured) -> LabelFigure:
    return LabelFigure(measure=measure, items=items, unmeasured=reason)


def gathered_lines(gathered: Gathered) -> Iterator[Text]:
    """Yield what was read, and what in the files does not count."""
    annotators = {one.annotator for one in gathered.annotations}
    yield text(
        "labelling.gathered",
        labels=len(gathered.annotations),
        items=len(gathered.by_item),
        annotators=len(annotators),
        files=len(gathered.sources),
    )
    for kind, count in sorted(gathered.left_out.items()):
        if count:
            yield text("labelling.left_out", count=count, what=text(f"labelling.left_out.{kind}"))


def quality_lines(quality: LabelQuality) -> Iterator[Text]:
    """Yield counts, figures with their intervals, and the classes on which annotators agree least."""
    yield text(
        "labelling.counts",
        items=quality.items,
        doubles=quality.double_labelled,
        differing=quality.disagreements,
        decided=quality.adjudicated,
        undecided=quality.undecided,
    )
    yield from map(figure_line, quality.figures)
    for one in quality.by_class:
        if one.value is not None:
            yield text("labelling.by_class", label=one.label, value=f"{one.value:.3f}", labels=one.labels)
    for pair in quality.confusion:
        if pair.first != pair.second:
            yield text("labelling.confused", first=pair.first, second=pair.second, pairs=pair.pairs)


def figure_line(figure: LabelFigure) -> Text:
    """Return one figure with its interval, or why it is not measured."""
    name = text(f"labelling.figure.{figure.measure}")
    reason = text(f"labelling.unmeasured.{figure.unmeasured}") if figure.unmeasured else None
    if figure.value is None:
        return text("labelling.figure_unmeasured", name=name, reason=reason)
    value = f"{figure.value:.3f}"
    if figure.lower is None or figure.upper is None:
        return text("labelling.figure_alone", name=name, value=value, items=figure.items, reason=reason)
    bounds = {"lower": f"{figure.lower:.3f}", "upper": f"{figure.upper:.3f}"}
    return text("labelling.figure", name=name, value=value, items=figure.items, **bounds)
