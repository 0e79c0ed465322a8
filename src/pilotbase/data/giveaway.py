"""The feature that reveals most about the target: learnt on the public sample, judged on the hidden set.

Classification: a feature is cut into its values (256 quantile bins of the public sample for numbers with more) and
each cell answers with its most frequent public class; ``strength`` is the share of the errors of guessing the most
frequent class that this rule avoids. So is that of a second rule, for values that hardly occur twice: the most frequent
value against all others, numbers and times among these in bins of ten public cases. The better rule counts. For two
classes ``order`` is the area under the ROC curve of the feature itself.
Regression: both are |Spearman| between feature and target. A missing value is a value of its own. For a text, its
number, beginning, length and telling word are judged too, and the order of rows as if it were a feature: an application
sees cases in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from pilotbase.documents.scenario import Scenario

BINS = 256
_CASES_OF_BIN = 10
FEWEST_OF_CLASS = 5
FEWEST_CASES = 10
STRENGTH = 0.95
CERTAIN_ORDER = 0.999
FEWEST_ERRORS = 10
"""A feature counts as a giveaway only if guessing would have been wrong at least this often."""
_Sides = tuple[pl.Series, pl.Series]
"""Public and hidden cases."""
_PARTS_OF_ORDER = 32
"""The number of parts into which the order of rows is cut."""
_FEW_VALUES = 50
_MOST_CASES, _MOST_CLASSES = 20_000, 50
_WORD = r"[\p{L}\p{N}_]+"


@dataclass(frozen=True)
class FeatureStrength:
    """How far one feature alone gives the target away, 0 to 1, and how often guessing would be wrong."""

    feature: str
    strength: float
    order: float
    errors_by_guessing: int
    part: str | None = None
    """The part of the feature, if not its value."""


def strongest_feature(
    public: pl.DataFrame, hidden: pl.DataFrame, features: list[str], scenario: Scenario
) -> FeatureStrength | None:
    """Return the feature that gives most away; None if the hidden set is too small or constant."""
    found = feature_strengths(public, hidden, features, scenario).values()
    return max(found, key=_strongest, default=None)


def feature_strengths(
    public: pl.DataFrame, hidden: pl.DataFrame, features: list[str], scenario: Scenario
) -> dict[str, FeatureStrength]:
    """Return each feature's strength, of a text that of its strongest part; without those that cannot be judged."""
    target = scenario.data.target
    answers = public[target], hidden[target]
    classes = None if scenario.target_form == "numbers" else public[target]
    found = {}
    for name in features:
        sides = public[name], hidden[name]
        of_parts = [_strength(name, sides, answers, scenario)]
        for kind, part in _parts_of_text(*sides, classes):
            strength = _strength(name, part, answers, scenario)
            of_parts.append(None if strength is None else replace(strength, part=kind))
        if known := [strength for strength in of_parts if strength is not None]:
            found[name] = max(known, key=_strongest)
    return found


def _strongest(found: FeatureStrength) -> tuple[float, float]:
    return max(found.strength, found.order), found.strength


def strength_of_order(public: pl.DataFrame, hidden: pl.DataFrame, scenario: Scenario) -> FeatureStrength | None:
    """Return how far the place of a row in its table gives the target away; None as in `strongest_feature`."""
    answers = public[scenario.data.target], hidden[scenario.data.target]
    parts = _place_in_order(public.height), _place_in_order(hidden.height)
    if scenario.target_form == "numbers":
        rows = _place_in_order(public.height, None), _place_in_order(hidden.height, None)
        return _strength("order", rows, answers, scenario)
    found = _strength("order", parts, answers, scenario)
    order = _order(_place_in_order(hidden.height, None), answers[1])
    return None if found is None else replace(found, order=order)


def seems_given_away(found: FeatureStrength, scenario: Scenario) -> bool:
    """Return whether the feature orders the target almost surely or, for classes, avoids almost all errors.

    A strong correlation with a number is no leak; an almost perfect one is.
    """
    return found.order >= CERTAIN_ORDER or (scenario.target_form == "labels" and found.strength >= STRENGTH)


def gives_away(found: FeatureStrength, scenario: Scenario) -> bool:
    """Return whether the target is given away, with enough cases to say so."""
    return seems_given_away(found, scenario) and found.errors_by_guessing >= FEWEST_ERRORS


def _strength(name: str, values: _Sides, answers: _Sides, scenario: Scenario) -> FeatureStrength | None:
    """Return the strength of one column, given for public and hidden cases, as are their answers."""
    if scenario.target_form == "numbers":
        return regression_strength(name, values[1], answers[1])
    return class_strength(name, values, answers)


def class_strength(name: str, values: _Sides, answers: _Sides) -> FeatureStrength | None:
    """Return the strength of a column for classes, given for public and hidden cases; None if it cannot be judged."""
    usual = answers[0].mode().sort()[0]
    wrong_by_guessing = int((answers[1] != usual).sum())
    if not wrong_by_guessing:
        return None
    wrong = min(
        _wrong_by_rule((cut(values[0], values[0]), cut(values[1], values[0])), answers, usual)
        for cut in (_cells, _wide_cells)
    )
    strength = max(0.0, 1 - wrong / wrong_by_guessing)
    return FeatureStrength(name, strength, _order(values[1], answers[1]), wrong_by_guessing)


def _wrong_by_rule(cells: _Sides, answers: _Sides, usual: object) -> int:
    """Return how many hidden cases are wrong if each cell answers with its most frequent public class."""
    rule = (
        pl.DataFrame({"cell": cells[0], "answer": answers[0]})
        .group_by("cell")
        .agg(pl.col("answer").mode().sort().first())
    )
    asked = pl.DataFrame({"cell": cells[1], "truth": answers[1]})
    judged = asked.join(rule, on="cell", how="left", nulls_equal=True)
    return judged.filter(pl.col("answer").fill_null(usual) != pl.col("truth")).height


def _cells(column: pl.Series, known: pl.Series) -> pl.Series:
    """Return the cell of each value of ``column``, cut at the quantiles of ``known``; null stays null."""
    if not column.dtype.is_numeric() or known.n_unique() <= BINS:
        return column
    numbers = _plain_numbers(known.drop_nulls())
    return _cut(column, np.quantile(numbers, np.linspace(0, 1, BINS + 1)[1:-1]))


def _wide_cells(column: pl.Series, known: pl.Series) -> pl.Series:
    """Return the cell of each value: the most frequent of ``known`` alone, the others in wide bins if they have an
    order, else together; null stays null.
    """
    told = known.drop_nulls()
    if told.is_empty():
        return column
    most = told.mode().sort().head(1)
    if not (column.dtype.is_numeric() or column.dtype.is_temporal()):
        return column.is_in(most.implode())
    others = _plain_numbers(told.filter(told != most[0]))
    bins = min(BINS, len(others) // _CASES_OF_BIN)
    breaks = np.quantile(others, np.linspace(0, 1, bins + 1)[1:-1]) if bins > 1 else others[:0]
    alone = _plain_numbers(most)
    return _cut(column, np.concatenate([breaks, alone, np.nextafter(alone, -np.inf)]))


def _cut(column: pl.Series, breaks: npt.NDArray[np.float64]) -> pl.Series:
    """Return the bin of each number or time of ``column`` between ``breaks``; null stays null."""
    cells = pl.Series(column.name, np.searchsorted(np.unique(breaks), _plain_numbers(column)), dtype=pl.Int64)
    return cells.to_frame().select(pl.when(column.is_not_null()).then(pl.col(column.name))).to_series()


def _order(column: pl.Series, labels: pl.Series) -> float:
    """Return max(AUC, 1 − AUC) of a number for two classes; 0 if it is undefined or has too few cases."""
    classes = labels.unique().sort()
    if len(classes) != 2 or not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
        return 0.0
    positive = (labels == classes[1]).to_numpy()
    ones, zeros = int(positive.sum()), int((~positive).sum())
    if min(ones, zeros) < FEWEST_OF_CLASS:
        return 0.0
    ranks = _ranks(_plain_numbers(column))
    area = (float(ranks[positive].sum()) - ones * (ones + 1) / 2) / (ones * zeros)
    return max(area, 1 - area)


def regression_strength(name: str, column: pl.Series, answers: pl.Series) -> FeatureStrength | None:
    """Return the strength of a column for numbers, of the hidden cases; None if it cannot be judged."""
    truth = answers.cast(pl.Float64).to_numpy()
    if len(column) < FEWEST_CASES or np.ptp(truth) == 0:
        return None
    if column.dtype == pl.String:  # perhaps the target, spelled as text
        column = column.cast(pl.Float64, strict=False)
    values = _plain_numbers(column)
    if np.ptp(values) == 0:
        return FeatureStrength(name, 0.0, 0.0, len(column))
    strength = abs(float(np.corrcoef(_ranks(values), _ranks(truth))[0, 1]))
    return FeatureStrength(name, strength, strength, len(column))


def _ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the mean rank of each value, from 1. (scipy.stats would cost every box half a second to load.)"""
    return np.asarray(pl.Series(values).rank("average").to_numpy(), dtype=np.float64)


def _plain_numbers(column: pl.Series) -> npt.NDArray[np.float64]:
    numbers = column.cast(pl.Int64) if column.dtype.is_temporal() else column
    filled = numbers.cast(pl.Float64).fill_null(float(np.finfo(np.float64).min))
    return np.asarray(filled.to_numpy(), dtype=np.float64)


def _parts_of_text(public: pl.Series, hidden: pl.Series, answers: pl.Series | None) -> Iterator[tuple[str, _Sides]]:
    """Yield the parts of a text feature with many values: what each is (``number``, ``beginning``, ``length``,
    ``word``), and it in both sides. ``answers``: classes of public cases, None for numbers.

    The telling word of a class is the one that occurs most with it and least without it in the public sample. Words are
    runs of letters and digits, so for a language without blanks these are whole clauses.
    """
    if public.dtype != pl.String or public.n_unique() <= _FEW_VALUES:
        return
    for kind, part in _PARTS_OF_TEXT.items():
        known, asked = (side.to_frame().select(part(pl.col(side.name))).to_series() for side in (public, hidden))
        if len(known) - known.null_count() > (len(public) - public.null_count()) / 2:
            yield kind, (known, asked)
    if answers is not None:
        telling = _telling_words(public, answers)
        if telling:
            yield "word", (_held(public, telling), _held(hidden, telling))


def _place_in_order(cases: int, parts: int | None = _PARTS_OF_ORDER) -> pl.Series:
    """Return in which of ``parts`` equal parts of the order each row is; None: at which row."""
    rows = pl.Series("order", range(cases), dtype=pl.Int64)
    return rows if parts is None else rows * parts // max(cases, 1)


_PARTS_OF_TEXT: Mapping[str, Callable[[pl.Expr], pl.Expr]] = {
    "number": lambda text: text.str.extract(r"(\d{1,15})").cast(pl.Float64, strict=False),
    "beginning": lambda text: text.str.extract(r"^(\P{N}{1,12})").str.to_lowercase(),
    "length": lambda text: text.str.len_chars().cast(pl.Int64),
}


def _words(texts: pl.Series) -> pl.Series:
    return texts.str.to_lowercase().str.extract_all(_WORD).list.unique()


def _telling_words(texts: pl.Series, answers: pl.Series) -> list[str]:
    """Return the word of each class that occurs most often in its texts and least in others, the surest first."""
    held = pl.DataFrame({"word": _words(texts.head(_MOST_CASES)), "answer": answers.head(_MOST_CASES)})
    pairs, count = (
        held.explode("word").drop_nulls("word").group_by("word", "answer").len(),
        pl.col("len").cast(pl.Int64),
    )
    net = pairs.with_columns((2 * count - count.sum().over("word")).alias("net"))
    best = net.sort("net", "word", descending=[True, False]).unique("answer", keep="first", maintain_order=True)
    return best.filter(pl.col("net") > 0).head(_MOST_CLASSES)["word"].to_list()


def _held(texts: pl.Series, telling: list[str]) -> pl.Series:
    """Return which of the telling words each text contains: the place of the first, null for none."""
    words = pl.DataFrame({"words": _words(texts)})
    places = [pl.when(pl.col("words").list.contains(word)).then(place) for place, word in enumerate(telling)]
    return words.select(pl.coalesce(*places, pl.lit(None)).cast(pl.Int64).alias("word")).to_series()
