"""Hidden cases that have a twin in the public sample: the same features exactly, or nearly; or that resemble a case.

Near: numbers are scaled by the public sample's median and interquartile range (standard deviation if that is 0) and
rounded to a grid of `GRID`; texts are normalised (NFKC, lower case, single blanks). Rows are equal when all their cells
are, on the grid or on the same grid moved by half a step, so that a twin which one grid cuts apart is mostly joined by
the other. Twins by chance are counted in public samples whose columns have been shuffled apart: few coarse features
coincide there as often, copies do not. Cost: four hashes a row. Limit: changes of more than half a step in any one
feature escape, and so does a change near the step in many features at once; a copy with deliberate noise of that size
is no longer a memorised case.

One shuffled sample says little of rare coincidences: where four are expected, it shows none in one sample of fifty.
So there are as many as the number of twins needs (`_shuffles_for`), and numbers are compared as two Poisson rates are:
of ``count`` twins found and ``chance`` coincidences in ``shuffles`` samples, all together, each is among the found
ones with probability r / (r + shuffles) if there are r times as many twins as chance gives (exact conditional test,
Przyborowski and Wilenski 1940).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from pilotbase.documents.scenario import Scenario
from pilotbase.evidence.distributions import binomial_at_least
from pilotbase.measures.minhash import HashedRecords, Hashes, KnownRecords, Places, text_shingles

GRID = 0.01
LONG_TEXT = 20
"""A column whose usual value has more characters holds texts, not labels."""
FEW_TWINS = 5
"""This few are not examined further."""
BY_CHANCE = 0.001
"""If chance gives a result this often, chance explains it."""
MOST_TIMES = 10
_LARGEST_CELL = 1e15
_FEWEST_CELLS = 9
_LONGEST_TEXT = 100_000
"""Characters of a case's texts that are compared."""
_MOST_OF_THE_SAMPLE = 2000
"""Public cases compared with earlier ones, to see how often cases resemble each other anyway."""


@dataclass(frozen=True)
class Twins:
    """How many hidden cases have a public twin, their share, and how often the twins agree on the target (0 to 1).

    ``chance``: how many had one in ``shuffles`` shuffles of the public sample, which remove all relation between its
    features; without any, no twin is due to chance.
    ``natural``: how many would have one if they resembled public cases as often as those resemble each other.
    """

    count: int
    share: float
    agreement: float
    chance: int = 0
    shuffles: int = 0
    natural: int = 0

    def exceed_chance(self, times: int) -> bool:
        """Return whether there are surely over ``times`` as many twins as chance gives, and more than a handful."""
        among = times / (times + self.shuffles)
        explained = binomial_at_least(self.count, self.count + self.chance, among) if self.shuffles else 0.0
        return self.count > FEW_TWINS and explained < BY_CHANCE


def _shuffles_for(count: int) -> int:
    """Return in how many shuffled samples coincidences are counted for so many twins: none for a handful.

    Twice as many as let twins surely exceed `MOST_TIMES` chance if no shuffled sample shows one.
    """
    if count <= FEW_TWINS:
        return 0
    return math.ceil(2 * MOST_TIMES * (math.pow(BY_CHANCE, -1 / count) - 1))


def exact_twins(public: pl.DataFrame, hidden: pl.DataFrame, features: list[str], scenario: Scenario) -> Twins:
    """Return the hidden cases whose features equal those of a public case."""
    return _twins_on([[pl.col(name) for name in features]], public, hidden, features, scenario)


def near_twins(public: pl.DataFrame, hidden: pl.DataFrame, features: list[str], scenario: Scenario) -> Twins:
    """Return the hidden cases whose features nearly equal those of a public case and are no exact copy."""
    copies = _row_keys(hidden, features).is_in(_row_keys(public, features).unique().implode())
    rest = hidden.filter(~copies)
    grids = [_grid_of(public, features, shift) for shift in (0.0, 0.5)]
    found = _twins_on(grids, public, rest, features, scenario, hidden.height)
    return replace(found, share=found.count / max(1, hidden.height))


def _twins_on(
    grids: list[list[pl.Expr]],
    public: pl.DataFrame,
    hidden: pl.DataFrame,
    features: list[str],
    scenario: Scenario,
    cases: int | None = None,
) -> Twins:
    """Return the twins whose cells are equal on one of the grids; ``hidden``: some of so many ``cases``, else all."""
    public_keys, hidden_keys = ([_row_keys(side.select(grid), features) for grid in grids] for side in (public, hidden))
    found = _twins(public_keys, hidden_keys, public, hidden, scenario)
    if _one_text(public, features):
        return replace(found, natural=_natural(public.select(grids[0]), cases or hidden.height))
    shuffles = _shuffles_for(found.count)
    samples = (_apart(public, features, number) for number in range(shuffles))
    chance = sum(
        _count([_row_keys(sample.select(grid), features) for grid in grids], hidden_keys) for sample in samples
    )
    return replace(found, chance=chance, shuffles=shuffles)


def have_twins(public: pl.DataFrame, hidden: pl.DataFrame, features: list[str]) -> pl.Series:
    """Return which hidden cases have a twin, exact or near, shape (rows,) of booleans."""
    found = [_row_keys(hidden, features).is_in(_row_keys(public, features).unique().implode())]
    for shift in (0.0, 0.5):
        sides = (side.select(_grid_of(public, features, shift)) for side in (hidden, public))
        asked, known = (_row_keys(side, features) for side in sides)
        found.append(asked.is_in(known.unique().implode()))
    return pl.select(pl.any_horizontal(found)).to_series()


def _is_long_text(column: pl.Series) -> bool:
    """Return whether the values of a public column are texts that no two cases share by chance."""
    if column.dtype != pl.String:
        return False
    usual = column.str.len_chars().median()
    return isinstance(usual, float) and usual > LONG_TEXT


def _plain_text(name: str) -> pl.Expr:
    """Return a text normalised: NFKC, lower case, single blanks."""
    return pl.col(name).str.normalize("NFKC").str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()


def _one_text(public: pl.DataFrame, features: list[str]) -> bool:
    """Return whether there is one feature, a text: shuffling leaves it unchanged, so chance cannot be counted."""
    return len(features) == 1 and _is_long_text(public[features[0]])


def _natural(public: pl.DataFrame, cases: int) -> int:
    again = public.height - public.n_unique()
    return round(again / max(1, public.height) * cases)


def _apart(public: pl.DataFrame, features: list[str], number: int) -> pl.DataFrame:
    """Return the public features, each column shuffled on its own: another sample for each ``number``."""
    first = number * len(features)
    return public.select(pl.col(name).shuffle(seed=first + place) for place, name in enumerate(features))


def _count(public_keys: list[pl.Series], hidden_keys: list[pl.Series]) -> int:
    matched = [
        hidden_key.is_in(public_key.unique().implode())
        for public_key, hidden_key in zip(public_keys, hidden_keys, strict=True)
    ]
    return int(pl.select(pl.any_horizontal(matched)).to_series().sum())


def _row_keys(frame: pl.DataFrame, features: list[str]) -> pl.Series:
    """Return 64 bits a row; two of 10⁶ × 10⁶ different pairs collide with probability 5·10⁻⁸."""
    return frame.select(features).hash_rows(seed=20260101)


def _grid_of(public: pl.DataFrame, features: list[str], shift: float) -> list[pl.Expr]:
    """Return the cell of each feature on the grid, moved by ``shift`` steps."""
    return [_cell(public[name], shift).alias(name) for name in features]


def _cell(column: pl.Series, shift: float) -> pl.Expr:
    source = pl.col(column.name)
    if column.dtype == pl.String:
        return _plain_text(column.name)
    if not column.dtype.is_numeric():
        return source
    numbers = column.cast(pl.Float64)
    center = numbers.median()
    if not isinstance(center, float):  # nothing but missing values
        return source
    scaled = (source.cast(pl.Float64) - center) / (_scale(numbers) * GRID)
    return (scaled + shift).round(0).clip(-_LARGEST_CELL, _LARGEST_CELL).cast(pl.Int64)


def _scale(numbers: pl.Series) -> float:
    upper, lower = numbers.quantile(0.75), numbers.quantile(0.25)
    spread = (upper or 0.0) - (lower or 0.0)
    deviation = numbers.std()
    return spread or (deviation if isinstance(deviation, float) else 0.0) or 1.0


def _twins(
    public_keys: list[pl.Series],
    hidden_keys: list[pl.Series],
    public: pl.DataFrame,
    hidden: pl.DataFrame,
    scenario: Scenario,
) -> Twins:
    target = scenario.data.target
    matches = []
    for public_key, hidden_key in zip(public_keys, hidden_keys, strict=True):
        known = pl.DataFrame({"key": public_key, "public": public[target]})
        answers = known.group_by("key").agg(_usual_answer(scenario).alias("public"))
        asked = pl.DataFrame({"key": hidden_key, "hidden": hidden[target]}).with_row_index("case")
        matches.append(asked.join(answers, on="key", how="inner").select("case", "hidden", "public"))
    found = pl.concat(matches).unique("case", keep="first", maintain_order=True)
    agreement = _agreement_of(found, public[target], scenario)
    return Twins(found.height, found.height / max(1, hidden.height), agreement)


def _usual_answer(scenario: Scenario) -> pl.Expr:
    answers = pl.col("public")
    return answers.median() if scenario.target_form == "numbers" else answers.drop_nulls().mode().sort().first()


def _agreement_of(found: pl.DataFrame, target: pl.Series, scenario: Scenario) -> float:
    """Return how often the columns ``hidden`` and ``public`` agree; for classes the mean over those of hidden cases."""
    if found.is_empty():
        return 0.0
    if scenario.target_form == "numbers":
        close = (found["hidden"] - found["public"]).abs() <= GRID * _scale(target.cast(pl.Float64))
        return float(close.fill_null(False).mean() or 0.0)  # type: ignore[arg-type]
    shares = found.group_by("hidden").agg((pl.col("hidden") == pl.col("public")).mean().alias("share"))
    return float(shares["share"].mean() or 0.0)  # type: ignore[arg-type]


def similar_twins(public: pl.DataFrame, hidden: pl.DataFrame, features: list[str], scenario: Scenario) -> Twins | None:
    """Return the hidden cases that resemble a public one and are no exact copy; None if nothing can be compared.

    Two cases resemble each other when the Jaccard similarity of their sets is at least 0.8 (MinHash proposes pairs, the
    sets themselves decide). The set of a case is the runs of five characters of its texts; if features are many,
    also its cells on both grids. Cells are compared from nine features on: with fewer, no two rows differ in a cell and
    are that similar. Of m cells m/9 may be others, of a text about a tenth.

    By chance rows resemble as often as they do if the columns of the public sample are shuffled apart, or as public
    cases resemble earlier public ones; texts never by chance, but if public texts resemble each other as often
    (reports written from a template), a copy cannot be recognised. Cost: about 0.1 ms a case and 400 bytes a public
    one. Limits: a text that was rewritten, and one below 20 characters.
    """
    texts = [name for name in features if _is_long_text(public[name])]
    cells = [name for name in features if name not in texts]
    views = [_text_view(texts)] if texts else []
    views += [_cell_view(public, cells)] if len(cells) >= _FEWEST_CELLS else []
    if not views:
        return None
    rest = hidden.filter(~_row_keys(hidden, features).is_in(_row_keys(public, features).unique().implode()))
    matches = [_match(view, public, rest) for view in views]
    places = matches[0].places
    for match in matches[1:]:
        places = np.where(places >= 0, places, match.places)
    found = _answers(public, rest, places, scenario)
    return Twins(
        found.height,
        found.height / max(1, hidden.height),
        _agreement_of(found, public[scenario.data.target], scenario),
        chance=sum(match.chance for match in matches),
        shuffles=sum(match.shuffles for match in matches),
        natural=sum(match.natural for match in matches),
    )


@dataclass(frozen=True)
class _View:
    """One way to see cases as sets: ``records`` of a frame, and whether a coincidence is nothing but chance."""

    records: Callable[[pl.DataFrame], HashedRecords]
    by_chance: bool
    features: list[str]


@dataclass(frozen=True)
class _Match:
    """The matches in one view: the public case that each hidden one resembles, or −1, and the numbers of `Twins`."""

    places: Places
    chance: int = 0
    shuffles: int = 0
    natural: int = 0


class _Texts:
    """The texts of each case, as sets of runs of characters."""

    def __init__(self, texts: pl.Series) -> None:
        self._texts = texts

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, place: int, /) -> Hashes:
        return text_shingles(self._texts[place] or "")


class _Cells:
    """The cells of each case, shape (cases, cells), 0 for a missing one."""

    def __init__(self, cells: npt.NDArray[np.uint64]) -> None:
        self._cells = cells

    def __len__(self) -> int:
        return len(self._cells)

    def __getitem__(self, place: int, /) -> Hashes:
        row = self._cells[place]
        known: Hashes = row[row != 0]
        return known


def _text_view(texts: list[str]) -> _View:
    whole = pl.concat_str([_plain_text(name) for name in texts], separator="\n", ignore_nulls=True)
    return _View(lambda frame: _Texts(frame.select(whole.str.head(_LONGEST_TEXT).alias("text"))["text"]), False, texts)


def _cell_view(public: pl.DataFrame, cells: list[str]) -> _View:
    grids = [cell for shift in (0.0, 0.5) for cell in _grid_of(public, cells, shift)]
    hashed = [
        pl.when(cell.is_not_null()).then(cell.hash(number + 1)).otherwise(0).alias(str(number))
        for number, cell in enumerate(grids)
    ]
    return _View(lambda frame: _Cells(frame.select(hashed).to_numpy().astype(np.uint64)), True, cells)


def _match(view: _View, public: pl.DataFrame, hidden: pl.DataFrame) -> _Match:
    records, asked = view.records(public), view.records(hidden)
    known = KnownRecords(records)
    places = known.closest(asked)
    count = int((places >= 0).sum())
    if not count:
        return _Match(places)
    natural = _among_public(view, public, known, hidden.height)
    if not view.by_chance:
        return _Match(places, natural=natural)
    shuffles, chance = _shuffles_for(count), 0
    for number in range(shuffles):
        sample = KnownRecords(view.records(_apart(public, view.features, number)))
        chance += int((sample.closest(asked) >= 0).sum())
    return _Match(places, max(chance, natural * shuffles), shuffles)


def _among_public(view: _View, public: pl.DataFrame, known: KnownRecords, cases: int) -> int:
    """Return how many of so many cases would resemble a public one if they were like the public ones."""
    last = np.arange(max(0, public.height - _MOST_OF_THE_SAMPLE), public.height)
    found = known.closest(view.records(public[last]), before=last)
    return round(float((found >= 0).mean()) * cases)


def _answers(public: pl.DataFrame, hidden: pl.DataFrame, places: Places, scenario: Scenario) -> pl.DataFrame:
    """Return the answers of hidden cases and of the public ones that they resemble, columns hidden and public."""
    target, own = scenario.data.target, np.flatnonzero(places >= 0)
    return pl.DataFrame({"hidden": hidden[target][own], "public": public[target][places[own]]})
