"""Figures behind a report's pictures, by the kind of answer, and single cases of a rehearsal as a person looks at them.

Figures are of scored cases, no case alone. Counts are exact; a mean is told of `SMALLEST_GROUP` cases or more. Ends of
bins are round numbers, not values of cases.

Shown cases are a file beside the rehearsal's log, for those who may hold the rows of the public sample; no part of any
report.
"""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic

from pilotbase.documents.base import Document, Part
from pilotbase.documents.contract import AnswerKind
from pilotbase.documents.hashes import Digest

SMALLEST_GROUP = 5
"""Of how many cases a mean is made at least."""

Counts = tuple[int, ...]
MOST_CASES = 12


class Confusion(Part):
    """What was true (rows) against what was answered (columns), cases."""

    figure: Literal["confusion"] = "confusion"
    classes: tuple[str, ...]
    folded: int = 0
    """So many further classes are the row and the column behind ``classes``; 0: there is none."""
    none: bool = False
    """Whether the last row and column are cases without truth, and without answer."""
    counts: tuple[Counts, ...]


class CalibrationBin(Part):
    """Cases whose probability lies from ``low`` to ``high``."""

    low: float
    high: float
    cases: int
    answered: float | None = None
    """Mean probability; None: no case."""
    hits: int
    """How many were of the class."""


class Calibration(Part):
    """Whether the probability of ``label`` means what it says, in bins of equal width."""

    figure: Literal["calibration"] = "calibration"
    label: str
    bins: tuple[CalibrationBin, ...]
    error: float
    """Σ |hits - Σ p| / cases: the expected calibration error."""
    absent: int = 0
    """Cases without an answer, which no bin holds."""


class Probabilities(Part):
    """How often each probability of ``label`` was answered, in bins of equal width from 0 to 1."""

    figure: Literal["probabilities"] = "probabilities"
    label: str
    members: Counts
    """Cases that are of ``label``."""
    others: Counts
    absent: int = 0


class AgainstTruth(Part):
    """Answers against truth on a grid of squares; the outer ones hold what lies further out, too."""

    figure: Literal["against_truth"] = "against_truth"
    low: float
    step: float
    size: int
    """Squares a side."""
    cells: tuple[tuple[int, int, int], ...]
    """(square of the truth, square of the answer, cases), from 0."""
    beyond: int = 0
    """Cases of which truth or answer lies outside of the grid."""
    absent: int = 0


class Residuals(Part):
    """Answer minus truth, in bins; the outer ones hold what lies further out, too."""

    figure: Literal["residuals"] = "residuals"
    low: float
    step: float
    counts: Counts
    beyond: int = 0
    mean: float | None = None
    """None: of too few cases."""
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
    """Whether times are seconds since 1970 (UTC); else they are numbers of the split's column."""
    points: tuple[TimePoint, ...]


class IntervalGroup(Part):
    """Means over cases of neighbouring truths."""

    cases: int
    truth: float
    lower: float
    upper: float
    covered: int
    """Cases whose truth lies in their interval."""


class CoveragePoint(Part):
    """How many of the first ``cases`` scored cases were covered; one without an answer is not."""

    cases: int
    covered: int


class Intervals(Part):
    """Intervals against truth, from the least truth to the largest, and the coverage while cases were scored."""

    figure: Literal["intervals"] = "intervals"
    groups: tuple[IntervalGroup, ...]
    coverage: tuple[CoveragePoint, ...]
    absent: int = 0


class ClassRow(Part):
    """One class: how many were there, were answered, and were both."""

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
    """Intersection over union from which a box is found."""
    rows: tuple[ClassRow, ...]
    absent: int = 0
    """Cases without an answer: all that was there is missed."""


class Places(Part):
    """At which place the first wanted name stood, cases."""

    figure: Literal["places"] = "places"
    counts: Counts
    """By place, from the first."""
    later: int
    never: int
    """It was not among the names, or there was no answer."""


class TextDifferences(Part):
    """By how many of their characters answers differ from the truth, cases."""

    figure: Literal["texts"] = "texts"
    same: int
    ends: tuple[float, ...] = ()
    """Shares of the truth's characters up to which a bin reaches; the last bin has none. Empty: it was not counted."""
    differing: Counts
    """One more than ``ends``."""
    absent: int = 0
    """Cases without an answer, where there is one."""
    refused: int | None = None
    """Of cases to be refused: with no answer; None: there are none to be refused."""
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
    """A box in pixels of the image: a true one that was found or missed, or an answered one that is none."""

    state: Literal["found", "missed", "false"]
    label: str
    x: float
    y: float
    width: float
    height: float
    score: float | None = None
    """Of what was answered."""


class ShownImage(Part):
    """Pixels as we have encoded them, smaller than the original where that is large."""

    png: str
    """Base64."""
    height: int
    """Of the original, in pixels."""
    width: int


class TextPiece(Part):
    """A stretch of a text that both have, or that only one has; both are there where one stands for the other."""

    truth: str = ""
    answer: str = ""


class CaseScore(Part):
    """What a criterion's measure gives on this case alone."""

    rule: str
    value: float


class CaseInput(Part):
    """What the application was given, by the name of the field; long texts are cut."""

    name: str
    value: str


class ShownCase(Part):
    """One case; ``number``: its row of the public sample, from 1."""

    number: int = pydantic.Field(ge=1)
    result: Literal["same", "differs", "none"] | None = None
    """Whether the answer is the truth, as it is written; none: there is no answer. None: of numbers."""
    given: tuple[CaseInput, ...] = ()
    truth: str | None = None
    answer: str | None = None
    scores: tuple[CaseScore, ...] = ()
    image: ShownImage | None = None
    boxes: tuple[ShownBox, ...] = ()
    pieces: tuple[TextPiece, ...] = ()
    differing: int | None = None
    """Pixels of a mask that differ; in the image they are striped."""


class ShownCases(Document):
    """The cases of a rehearsal that are worst, and a few that are right."""

    document: Literal["shown-cases/1"] = "shown-cases/1"
    report: Digest
    """The rehearsal's."""
    kind: AnswerKind
    cases: tuple[ShownCase, ...] = pydantic.Field(max_length=MOST_CASES)
