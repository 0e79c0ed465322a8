"""Hidden cases that have a twin in the public sample: the same features exactly, or nearly.

Near: numbers are scaled by the public sample's median and interquartile range (standard deviation where that is 0) and
rounded to a grid of `GRID`; texts are normalised (NFKC, lower case, single blanks). Rows are equal when all their cells
are, on the grid or on the same grid moved by half a step, so that a twin which one grid cuts apart is mostly joined by
the other. Twins by chance are counted in public samples whose columns have been shuffled apart: few coarse features
coincide there as often, copies do not. Cost: four hashes a row. Limit: changes of more than half a step in any one
feature escape, and so does a change near the step in many features at once; a copy with deliberate noise of that size
is no longer a memorised case.

One shuffled sample says little of rare coincidences: where four are expected, it shows none in one sample of fifty.
So there are as many as the number of twins needs (`shuffles_for`), and numbers are compared as two Poisson rates are:
of ``count`` twins found and ``chance`` coincidences in ``shuffles`` samples, all together, each is among the found
ones with probability r / (r + shuffles) if there are r times as many twins as chance gives (exact conditional test,
Przyborowski and Wilenski 1940).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import polars as pl

from pilotbase.documents.scenario import Scenario
from pilotbase.evidence.distributions import binomial_at_least

GRID = 0.01
LONG_TEXT = 20
"""A column whose usual value has more characters holds texts, not labels."""
FEW_TWINS = 5
"""So few are not looked at any closer."""
BY_CHANCE = 0.001
"""What chance gives as often as this, chance explains."""
MOST_TIMES = 10
_LARGEST_CELL = 1e15


@dataclass(frozen=True)
class Twins:
    """How many hidden cases have a public twin, their share, and how often the twins agree on the target (0 to 1).

    ``chance``: how many had one in so many ``shuffles`` of the public sample, in which its features have nothing to do
    with each other; without any, twins are none of chance.
    ``natural``: how many would have one if they resembled public cases as often as those resemble each other.
    """

    count: int
    share: float
    agreement: float
    chance: int = 0
    shuffles: int = 0
    natural: int = 0

    def exceed_chance(self, times: int) -> bool:
        """Tell whether there are surely more than ``times`` as many twins as chance gives, and more than a handful."""
        among = times / (times + self.shuffles)
        explained = binomial_at_least(self.count, self.count + self.chance, among) if self.shuffles else 0.0
        return self.count > FEW_TWINS and explained < BY_CHANCE


def shuffles_for(count: int) -> int:
    """Return in how many shuffled samples coincidences are counted for so many twins: none for a handful.

    Twice as many as let twins exceed `MOST_TIMES` chance surely where no shuffled sample shows one.
    """
    if count <= FEW_TWINS:
        return 0
    return math.ceil(2 * MOST_TIMES * (math.pow(BY_CHANCE, -1 / count) - 1))


def exact_twins(public: pl.DataFrame, hidden: pl.DataFrame, features: list[str], scenario: Scenario) -> Twins:
    """Return the hidden cases whose features equal those of a public case."""
    hidden_keys = row_keys(hidden, features)
    found = _twins([row_keys(public, features)], [hidden_keys], public, hidden, scenario)
    if _one_text(public, features):
        return replace(found, natural=_natural(public.select(features), hidden.height))
    shuffles = shuffles_for(found.count)
    samples = (apart(public, features, number) for number in range(shuffles))
    chance = sum(_count([row_keys(sample, features)], [hidden_keys]) for sample in samples)
    return replace(found, chance=chance, shuffles=shuffles)


def near_twins(public: pl.DataFrame, hidden: pl.DataFrame, features: list[str], scenario: Scenario) -> Twins:
    """Return the hidden cases whose features nearly equal those of a public case and are no exact copy."""
    copies = row_keys(hidden, features).is_in(row_keys(public, features).unique().implode())
    rest = hidden.filter(~copies)
    grids = [grid_of(public, features, shift) for shift in (0.0, 0.5)]
    public_keys = [row_keys(public.select(grid), features) for grid in grids]
    hidden_keys = [row_keys(rest.select(grid), features) for grid in grids]
    found = _twins(public_keys, hidden_keys, public, rest, scenario)
    found = replace(found, share=found.count / max(1, hidden.height))
    if _one_text(public, features):
        return replace(found, natural=_natural(public.select(grids[0]), hidden.height))
    shuffles, chance = shuffles_for(found.count), 0
    for number in range(shuffles):
        sample = apart(public, features, number)
        chance += _count([row_keys(sample.select(grid), features) for grid in grids], hidden_keys)
    return replace(found, chance=chance, shuffles=shuffles)


def have_twins(public: pl.DataFrame, hidden: pl.DataFrame, features: list[str]) -> pl.Series:
    """Return which hidden cases have a twin, exact or near, shape (rows,) of booleans."""
    found = [row_keys(hidden, features).is_in(row_keys(public, features).unique().implode())]
    for shift in (0.0, 0.5):
        sides = (side.select(grid_of(public, features, shift)) for side in (hidden, public))
        asked, known = (row_keys(side, features) for side in sides)
        found.append(asked.is_in(known.unique().implode()))
    return pl.select(pl.any_horizontal(found)).to_series()


def is_long_text(column: pl.Series) -> bool:
    """Tell whether the values of a public column are texts that no two cases have by chance."""
    if column.dtype != pl.String:
        return False
    usual = column.str.len_chars().median()
    return isinstance(usual, float) and usual > LONG_TEXT


def plain_text(name: str) -> pl.Expr:
    """Return a text normalised: NFKC, lower case, single blanks."""
    return pl.col(name).str.normalize("NFKC").str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()


def _one_text(public: pl.DataFrame, features: list[str]) -> bool:
    """Tell whether there is one feature, a text: shuffled it is what it was, so chance cannot be counted."""
    return len(features) == 1 and is_long_text(public[features[0]])


def _natural(public: pl.DataFrame, cases: int) -> int:
    again = public.height - public.n_unique()
    return round(again / max(1, public.height) * cases)


def apart(public: pl.DataFrame, features: list[str], number: int) -> pl.DataFrame:
    """Return the public features, each column shuffled on its own: another sample for each ``number``."""
    first = number * len(features)
    return public.select(pl.col(name).shuffle(seed=first + place) for place, name in enumerate(features))


def _count(public_keys: list[pl.Series], hidden_keys: list[pl.Series]) -> int:
    matched = [
        hidden_key.is_in(public_key.unique().implode())
        for public_key, hidden_key in zip(public_keys, hidden_keys, strict=True)
    ]
    return int(pl.select(pl.any_horizontal(matched)).to_series().sum())


def row_keys(frame: pl.DataFrame, features: list[str]) -> pl.Series:
    """Return 64 bits a row; two of 10⁶ × 10⁶ different pairs collide with probability 5·10⁻⁸."""
    return frame.select(features).hash_rows(seed=20260101)


def grid_of(public: pl.DataFrame, features: list[str], shift: float) -> list[pl.Expr]:
    """Return the cell of each feature on the grid, moved by ``shift`` steps."""
    return [_cell(public[name], shift).alias(name) for name in features]


def _cell(column: pl.Series, shift: float) -> pl.Expr:
    source = pl.col(column.name)
    if column.dtype == pl.String:
        return plain_text(column.name)
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
    agreement = agreement_of(found, public[target], scenario)
    return Twins(found.height, found.height / max(1, hidden.height), agreement)


def _usual_answer(scenario: Scenario) -> pl.Expr:
    answers = pl.col("public")
    return answers.median() if scenario.target_form == "numbers" else answers.drop_nulls().mode().sort().first()


def agreement_of(found: pl.DataFrame, target: pl.Series, scenario: Scenario) -> float:
    """Return how often the columns ``hidden`` and ``public`` agree; for classes the mean over those of hidden cases."""
    if found.is_empty():
        return 0.0
    if scenario.target_form == "numbers":
        close = (found["hidden"] - found["public"]).abs() <= GRID * _scale(target.cast(pl.Float64))
        return float(close.fill_null(False).mean() or 0.0)  # type: ignore[arg-type]
    shares = found.group_by("hidden").agg((pl.col("hidden") == pl.col("public")).mean().alias("share"))
    return float(shares["share"].mean() or 0.0)  # type: ignore[arg-type]
