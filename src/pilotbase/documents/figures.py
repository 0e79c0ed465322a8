"""Figures behind a report's pictures, by the kind of answer, and single cases of a rehearsal for people to inspect.

Figures summarise all cases of an attempt, never a single case. Counts are exact; a mean needs `SMALLEST_GROUP` cases or
more. Ends of bins are round numbers, not values of cases.

Shown cases are in a file beside the rehearsal's log, for those who may have the rows of the public sample; they are
not part of any report.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import pydantic

from pilotbase.documents.base import Document, Part
from pilotbase.documents.contract import AnswerKind
from pilotbase.documents.criteria import cost_of
from pilotbase.documents.hashes import Digest
from pilotbase.documents.scenario import Costs
from pilotbase.documents.texts import Text

SMALLEST_GROUP = 5
"""Minimum number of cases behind a mean."""

Counts = tuple[int, ...]
MOST_CASES = 12


class Confusion(Part):
    """Number of cases by truth (rows) and answer (columns)."""

    figure: Literal["confusion"] = "confusion"
    classes: tuple[str, ...]
    folded: int = 0
    """Number of further classes merged into the row and column after ``classes``; 0: none."""
    none: bool = False
    """Whether the last row and column hold cases without truth and without answer."""
    counts: tuple[Counts, ...]


class CalibrationBin(Part):
    """Cases whose probability is between ``low`` and ``high``."""

    low: float
    high: float
    cases: int
    answered: float | None = None
    """Mean probability; None: no case."""
    hits: int
    """Number of cases that were of the class."""


class Calibration(Part):
    """Calibration of the probability of ``label``, in bins of equal width."""

    figure: Literal["calibration"] = "calibration"
    label: str
    bins: tuple[CalibrationBin, ...]
    error: float
    """Σ |hits - Σ p| / cases: the expected calibration error."""
    absent: int = 0
    """Cases without an answer, which are in no bin."""


class Probabilities(Part):
    """How often each probability of ``label`` was answered, in bins of equal width from 0 to 1."""

    figure: Literal["probabilities"] = "probabilities"
    label: str
    members: Counts
    """Cases that are of ``label``."""
    others: Counts
    absent: int = 0


class AgainstTruth(Part):
    """Answers against truth on a grid of squares; the outer squares also hold what is beyond them."""

    figure: Literal["against_truth"] = "against_truth"
    low: float
    step: float
    size: int
    """Squares per side."""
    cells: tuple[tuple[int, int, int], ...]
    """(square of the truth, square of the answer, cases), from 0."""
    beyond: int = 0
    """Cases whose truth or answer is outside the grid."""
    absent: int = 0


class Residuals(Part):
    """Answer minus truth, in bins; the outer bins also hold what is beyond them."""

    figure: Literal["residuals"] = "residuals"
    low: float
    step: float
    counts: Counts
    beyond: int = 0
    mean: float | None = None
    """None: too few cases."""
    absent: int = 0


class TimePoint(Part):
    """Means over cases of a stretch of time that begins at ``at``."""

    at: float
    cases: int
    truth: float
    answered: float | None = None
    lower: float | None = None
    upper: float | None = None


class TimeCourse(Part):
    """Truth and answers over time."""

    figure: Literal["time"] = "time"
    seconds: bool
    """Whether times are seconds since 1970 (UTC); otherwise they are numbers of the split's column."""
    points: tuple[TimePoint, ...]


class IntervalGroup(Part):
    """Means over cases of neighbouring truths."""

    cases: int
    truth: float
    lower: float
    upper: float
    covered: int
    """Cases whose truth is in their interval."""


class CoveragePoint(Part):
    """How many of the first ``cases`` scored cases were covered; a case without an answer is not."""

    cases: int
    covered: int


class Intervals(Part):
    """Intervals against truth, ordered by truth, and the coverage as cases were scored."""

    figure: Literal["intervals"] = "intervals"
    groups: tuple[IntervalGroup, ...]
    coverage: tuple[CoveragePoint, ...]
    absent: int = 0


class ClassRow(Part):
    """One class: number of cases of it, of answers with it, and of both."""

    name: str | None = None
    """None: all further classes together."""
    wanted: int
    answered: int
    hits: int


class ByClass(Part):
    """Recall and precision of each class."""

    figure: Literal["by_class"] = "by_class"
    counted: Literal["label", "box", "pixel"]
    overlap: float | None = None
    """Minimum intersection over union for a box to count as found."""
    rows: tuple[ClassRow, ...]
    absent: int = 0
    """Cases without an answer: all their boxes are missed."""


class Places(Part):
    """Number of cases by the rank of the first wanted name."""

    figure: Literal["places"] = "places"
    counts: Counts
    """Cases by rank, from the first."""
    later: int
    never: int
    """Cases in which it was not among the names, or there was no answer."""


class TextDifferences(Part):
    """Number of cases by the share of characters in which the answer differs from the truth."""

    figure: Literal["texts"] = "texts"
    same: int
    ends: tuple[float, ...] = ()
    """Shares of the truth's characters up to which a bin reaches; the last bin has none. Empty: not counted."""
    differing: Counts
    """One entry more than ``ends``."""
    absent: int = 0
    """Cases without an answer although the truth has one."""
    refused: int | None = None
    """Unanswered cases among those to be refused; None: none are to be refused."""
    not_refused: int | None = None


Figure = Annotated[
    Confusion
    | Calibration
    | Probabilities
    | AgainstTruth
    | Residuals
    | TimeCourse
    | Intervals
    | ByClass
    | Places
    | TextDifferences,
    pydantic.Field(discriminator="figure"),
]


class ShownBox(Part):
    """A box in pixels of the image: a true one that was found or missed, or an answered one that is wrong."""

    state: Literal["found", "missed", "false"]
    label: str
    x: float
    y: float
    width: float
    height: float
    score: float | None = None
    """Score of the answered box."""


class ShownImage(Part):
    """Pixels in our own encoding, scaled down if the original is large."""

    png: str
    """Base64."""
    height: int
    """Size of the original, in pixels."""
    width: int


class TextPiece(Part):
    """A stretch of text that both have, or only one has; if one replaces the other, both are set."""

    truth: str = ""
    answer: str = ""


class CaseScore(Part):
    """The value of a criterion's measure on this case alone."""

    rule: str
    value: float


class CaseInput(Part):
    """The application's input, by field name; long texts are cut."""

    name: str
    value: str


class EpisodeStep(Part):
    """One step of an episode: who did or said what, what came back, and what the fence made of it."""

    who: Literal["task", "application", "model", "user", "end"]
    turn: int | None = None
    said: str
    came: str = ""
    ruling: str = ""
    """Text ``picture.ruling.<value>``."""


class ShownCase(Part):
    """One case; ``number``: its row in the public sample, or in the records of a trial, from 1."""

    number: int = pydantic.Field(ge=1)
    result: Literal["same", "differs", "none"] | None = None
    """Whether the answer equals the truth literally; ``none``: no answer. None: for numbers."""
    given: tuple[CaseInput, ...] = ()
    truth: str | None = None
    answer: str | None = None
    scores: tuple[CaseScore, ...] = ()
    image: ShownImage | None = None
    boxes: tuple[ShownBox, ...] = ()
    pieces: tuple[TextPiece, ...] = ()
    steps: tuple[EpisodeStep, ...] = ()
    """Of an episode."""
    arm: str | None = None
    """What the episode was played under."""
    why: Text | None = None
    """Why the episode went wrong, in a sentence."""
    differing: int | None = None
    """Pixels of a mask that differ; the image shows them striped."""


class ShownCases(Document):
    """The worst cases of a rehearsal, or for an owner the worst episodes of a trial, and a few right ones."""

    document: Literal["shown-cases/1"] = "shown-cases/1"
    report: Digest
    """Digest of the report."""
    kind: AnswerKind
    cases: tuple[ShownCase, ...] = pydantic.Field(max_length=MOST_CASES)


class Mistake(Part):
    """How many cases of one class got one wrong answer, and how many from the baseline; ``answered`` empty: none."""

    true: str
    answered: str
    count: int
    baseline: int | None = None


class ErrorCounts(Part):
    """Errors about the positive class on the cases of the figures, and those of the baseline on the same cases.

    A case without an answer is counted as an error.
    """

    label: str
    cases: int
    misses: int
    false_alarms: int
    baseline_misses: int | None = None
    baseline_false_alarms: int | None = None
    mistakes: tuple[Mistake, ...] | None = None
    """Each mistake that was made, of three classes or more."""

    def priced(self, costs: Costs, classes: Sequence[str]) -> tuple[float, float | None]:
        """Return what the errors cost, and those of the baseline; a missing answer costs as the dearest mistake."""
        if costs.rule is None:
            pair = costs.miss or 0.0, costs.false_alarm or 0.0
            theirs = self.baseline_misses, self.baseline_false_alarms
            return _sum(pair, (self.misses, self.false_alarms)), None if None in theirs else _sum(pair, theirs)
        made = self.mistakes or ()
        prices = [_price(costs, one, classes) for one in made]
        before = None if self.baseline_misses is None else _sum(prices, [one.baseline for one in made])
        return _sum(prices, [one.count for one in made]), before

    def dearest(self, costs: Costs, classes: Sequence[str]) -> tuple[Mistake, float] | None:
        """Return the mistake that costs most in all, and its share of what all cost; None if none has a price."""
        total = self.priced(costs, classes)[0]
        if costs.rule is None or not self.mistakes or not total:
            return None
        amount, made = max(
            ((_price(costs, one, classes) * one.count, one) for one in self.mistakes), key=lambda one: one[0]
        )
        return made, amount / total


def _sum(prices: Sequence[float], counts: Sequence[int | None]) -> float:
    return sum(price * (count or 0) for price, count in zip(prices, counts, strict=True))


def _price(costs: Costs, made: Mistake, classes: Sequence[str]) -> float:
    mistakes = costs.rule.mistakes if costs.rule is not None else {}
    answers = (made.answered,) if made.answered else classes
    return max(float(cost_of(mistakes, made.true, one) or 0) for one in answers)
