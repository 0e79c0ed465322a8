"""The definition of a measure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pilotbase.documents.texts import Text, has_text, text
from pilotbase.documents.vocabularies import Guarantee
from pilotbase.measures.cases import Kind
from pilotbase.measures.observation import Estimand, MeasureInput, MeasurePart, Observation

Direction = Literal["higher", "lower", "neither"]
"""``neither``: a share that is neither good nor bad (of cases selected); it is compared between groups."""

CLASSIFYING: frozenset[Kind] = frozenset({"label", "probability", "probabilities"})
SCORING: frozenset[Kind] = frozenset({"probability"})
FORECASTING: frozenset[Kind] = SCORING | {"probabilities"}
"""With a probability of the truth."""
PREDICTING: frozenset[Kind] = frozenset({"value"})
TEXTS: frozenset[Kind] = frozenset({"text"})
RANKING: frozenset[Kind] = frozenset({"ranking"})
INTERVALS: frozenset[Kind] = frozenset({"interval"})
LABELLING: frozenset[Kind] = frozenset({"labels"})
DETECTING: frozenset[Kind] = frozenset({"boxes"})
SEGMENTING: frozenset[Kind] = frozenset({"mask"})
EPISODES: frozenset[Kind] = frozenset({"episode"})
SCORED: frozenset[Kind] = frozenset({"scores"})
"""Of recorded runs alone: no scenario's applications answer with scores of their own."""
COMPARABLE: frozenset[Kind] = CLASSIFYING | PREDICTING
READABLE: frozenset[Kind] = COMPARABLE | TEXTS | RANKING | INTERVALS | LABELLING
"""Answers that people can judge as they are written."""
ANY: frozenset[Kind] = READABLE | DETECTING | SEGMENTING


@dataclass(frozen=True)
class Parameter:
    """A named argument: ``beta=2``. ``low`` < value ≤ ``high``; maybe ``whole``.

    ``of_columns``: it names a column instead, which the measure reads: ``context=passages``. ``in_target_units``: its
    value is in the unit of the target. ``text``: the code of its words, ``measure.argument.<name>`` where empty.
    ``needed``: without a default it must be given.
    """

    name: str
    default: Decimal | None
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(1)
    whole: bool = False
    of_columns: bool = False
    in_target_units: bool = False
    text: str = ""
    needed: bool = True

    def admits(self, value: object) -> bool:
        """Return whether ``value`` is allowed."""
        if self.of_columns:
            return isinstance(value, str | Decimal)  # a column may be called 2027
        if not isinstance(value, Decimal) or not self.low < value <= self.high:
            return False
        return not self.whole or value == value.to_integral_value()


CUT = Parameter("cut", Decimal("0.5"), Decimal(0), Decimal(1))
"""The probability from which the positive class is answered."""
MOST_COST = Decimal(10) ** 9
"""Of one error."""
LARGEST = Decimal(10) ** 15
CAP = Parameter("cap", None, Decimal(0), LARGEST, in_target_units=True)
"""The largest error that counts: a mean of unbounded errors can never be shown to be small."""


@dataclass(frozen=True)
class Guarantees:
    """The kinds of guarantee that a measure can have, strongest first; none if it has no bound at all."""

    hidden_set: tuple[Guarantee, ...]
    population: tuple[Guarantee, ...] = ()
    run: tuple[Guarantee, ...] = ()

    def of(self, estimand: Estimand) -> tuple[Guarantee, ...]:
        """Return the kinds for ``estimand``."""
        return {"hidden_set": self.hidden_set, "population": self.population, "run": self.run}[estimand]


SHARE = Guarantees(("exact_census", "exact_anytime", "exact_fixed"), ("exact_anytime", "exact_fixed"))
"""A share of yes and no: at a fixed number of cases the binomial or hypergeometric test is exact."""
BOUNDED = Guarantees(("exact_census", "exact_anytime", "exact_fixed"), ("exact_anytime", "exact_fixed"))
"""A ratio of bounded sums: the martingale holds at any time, recalculated bets at a number fixed beforehand."""
JOINED = Guarantees(("exact_census",), ("exact_anytime", "exact_fixed"))
"""Of a hidden set only the whole; for a population from independent entries of several cases each."""
AT_FIXED_N = Guarantees(("exact_census",), ("exact_fixed",))
"""Of a hidden set only the whole; for a population an exact bound at the number of cases that was fixed."""
DESCRIPTIVE = Guarantees(("exact_census",), ("descriptive",))
"""For a population an estimate without a bound: no criterion."""
MEASURED = Guarantees((), (), ("measured_run",))

End = Decimal | str | Callable[[Mapping[str, Decimal]], Decimal]


@dataclass(frozen=True)
class Measure:
    """One measure of predictions: what it is, its source, and its per-case observation.

    ``bounds``: smallest and largest value; a parameter's name means its value, a function receives all values, and
    how many ``classes`` there are.
    ``of_class``: it is about one class, ``recall(failure)``; ``or_of_all``: without one, about all of them together,
    unless answers are about one class (`probability`).
    ``of_mistakes``: instead of its arguments a rule may say what each mistake costs, ``cost(severe as none=500)``.
    ``pooled``: the per-case observation needs all cases (AUC on a hidden set), so only a census decides there.
    ``paired``: a case's weight depends only on its truth and the measure is the plain ratio, so a difference between
    two answers to the same cases is itself a mean (``drop``, ``lift``).
    ``by_case``: gain and weight of a case depend only on that case, so it can be monitored in a stream (never for a
    ``pooled`` one).
    ``even``: cases that count all have one weight, so that the mean of their scores is the measure of a population.
    ``guarantees``: the kinds that it can have. ``compose``: several parts or a function, if one ratio isn't enough;
    ``observe`` then gives the whole set's value. ``beside``: a criterion on one of these is required too, because a
    useless application can meet this one alone. ``instead``: what has a bound for a population where this has none.
    ``in_target_units``: its value is in the unit of the target.
    ``of_calibration``: it judges the probabilities themselves, so a criterion on it is a calibration test.
    ``of_process``: it judges the application together with the people around it. ``added``: by an installed package.
    """

    name: str
    formula: str
    source: str
    better: Direction
    kinds: frozenset[Kind]
    observe: Callable[[MeasureInput], MeasurePart]
    bounds: tuple[End, End] = (Decimal(0), Decimal(1))
    parameters: tuple[Parameter, ...] = ()
    of_class: bool = False
    or_of_all: bool = False
    of_mistakes: bool = False
    pooled: bool = False
    needs_baseline: bool = False
    paired: bool = False
    by_case: bool = True
    even: bool = True
    guarantees: Guarantees = BOUNDED
    compose: Callable[[MeasureInput], Observation] | None = None
    beside: tuple[str, ...] = ()
    instead: str = ""
    in_target_units: bool = False
    of_calibration: bool = False
    of_process: bool = False
    added: bool = False

    @property
    def title(self) -> Text:
        """Return its name in words."""
        return text("measure.added", name=self.name) if self.added else text(f"measure.{self.name}")

    @property
    def plain(self) -> str:
        """Return the code of the sentence that says what a score of it means, in the owner's units."""
        of_one = self.better == "higher" and self.bounds[1] == 1
        return plain_code(self.name, "measure.plain_of_one" if of_one else "measure.plain")

    def range(self, arguments: dict[str, Decimal], classes: int = 2) -> tuple[Decimal, Decimal]:
        """Return the smallest and the largest value with these arguments, and defaults for the others."""
        whole = {one.name: one.default for one in self.parameters if one.default is not None} | arguments
        whole["classes"] = Decimal(classes)
        low, high = (_end(end, whole) for end in self.bounds)
        return low, high


def plain_code(name: str, instead: str = "measure.plain") -> str:
    """Return the code of a measure's own plain sentence, which stands beside its title; ``instead`` if it has none.

    It names what it says: ``{hundred}``, how many of a hundred, ``{value}``, the score in its unit, ``{label}``, the
    class, or an argument.
    """
    code = f"measure.{name}.plain"
    return code if has_text(code) else instead


def _end(end: End, arguments: Mapping[str, Decimal]) -> Decimal:
    if isinstance(end, str):
        return arguments[end]
    return end if isinstance(end, Decimal) else end(arguments)
