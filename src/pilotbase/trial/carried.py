"""Evidence carried over to a later version: both versions answer the same fresh hidden cases, and are compared.

Where the certified version met *score ≥ c*, the later one has to show two things, each at the attempt's full level:
that the mean of (earlier - later) over the population is at most δ, and that it meets *score ≥ c - δ* itself. A version
that was built to get worse after its trial makes every later one compare well, so its certificate alone bears no claim
about another. Only means of a score per case over a population have a margin; all other criteria are met unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from pilotbase.documents.hashes import abbreviated
from pilotbase.documents.plan import CarriedEvidence
from pilotbase.documents.report import Finding
from pilotbase.documents.scenario import Criterion
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Estimand, Outcome
from pilotbase.measures import is_resource, measures


def compared(criterion: Criterion, comparisons: int = 1) -> tuple[Criterion, ...]:
    """Return what takes a criterion's place: worse by its margin at most, and ``comparisons`` margins below it met.

    One without a margin stays as it is.
    """
    if criterion.margin is None:
        return (criterion,)
    lift = replace(criterion.parsed(), wrapper="lift", comparison=">=", threshold=-Decimal(str(criterion.margin)))
    rules = (str(lift), *still_shown([criterion], comparisons))
    return tuple(criterion.model_copy(update={"rule": rule, "margin": None}) for rule in rules)


def still_shown(criteria: Sequence[Criterion], comparisons: int) -> tuple[str, ...]:
    """Return the rules of criteria with a margin, weaker by it for each of the ``comparisons``."""
    found = []
    for criterion in criteria:
        if criterion.margin is not None:
            rule, given = criterion.parsed(), comparisons * Decimal(str(criterion.margin))
            worse = rule.threshold - given if rule.comparison == ">=" else rule.threshold + given
            found.append(str(replace(rule, threshold=worse)))
    return tuple(found)


def margin_problems(criteria: Sequence[Criterion]) -> Iterator[tuple[int, Text]]:
    """Yield (index, sentence) of margins on what is no mean of a score per case over a population.

    A scenario with a margin has no criterion on its baseline either: the earlier version takes that place.
    """
    margins = any(criterion.margin is not None for criterion in criteria)
    for index, criterion in enumerate(criteria):
        rule = criterion.parsed()
        measure = None if is_resource(rule) else measures().get(rule.measure)
        mean = measure is not None and measure.paired and measure.by_case and not measure.needs_baseline
        carried = mean and rule.wrapper is None and criterion.estimand is Estimand.POPULATION
        if criterion.margin is not None and not carried:
            yield index, text("trial.margin_no_mean", rule=criterion.rule)
        elif margins and (rule.wrapper == "lift" or (measure is not None and measure.needs_baseline)):
            yield index, text("trial.margin_and_baseline", rule=criterion.rule)


def carried_findings(carries: CarriedEvidence | None) -> Iterator[Finding]:
    """Yield with which version an application was compared."""
    if carries is not None:
        version, serial = carries.application.version, abbreviated(carries.certificates[0])
        sentence = text("trial.finding.carried", version=version, serial=serial, criteria=", ".join(carries.criteria))
        yield Finding(check="carried", outcome=Outcome.PASS, sentence=sentence)
