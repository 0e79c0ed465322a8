"""Hidden cases that resemble a public one: an edited text, or a row with a few cells that are others.

Two cases resemble each other when the Jaccard similarity of their sets is at least 0.8 (MinHash proposes pairs, the
sets themselves decide). The set of a case is the runs of five characters of its texts; where features are many, also
its cells, each on the grid of `twins` and on the one moved by half a step. Cells are compared from nine features on: of
fewer, no two rows differ in a cell and are that similar. Of m cells m/9 may be others, of a text about a tenth.

A copy is told from a coincidence as in `leakage`. By chance rows resemble as often as they do where the columns of the
public sample are shuffled apart, or as public cases resemble earlier public ones; texts never by chance, but where
public texts resemble each other as often (reports written from a template), it cannot be told.
Cost: about 0.1 ms a case and 400 bytes a public one. Limits: a text that was written anew, and one below 20 characters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from pilotbase.data.twins import Twins, agreement_of, apart, grid_of, is_long_text, plain_text, row_keys, shuffles_for
from pilotbase.documents.scenario import Scenario
from pilotbase.measures.minhash import HashedRecords, Hashes, KnownRecords, Places, text_shingles

FEWEST_CELLS = 9
LONGEST_TEXT = 100_000
"""Characters of a case's texts that are compared."""
_MOST_OF_THE_SAMPLE = 2000
"""Public cases that are held against earlier ones, to see how often cases resemble each other anyway."""


def similar_twins(public: pl.DataFrame, hidden: pl.DataFrame, features: list[str], scenario: Scenario) -> Twins | None:
    """Return the hidden cases that resemble a public one and are no exact copy; None where nothing can be compared."""
    texts = [name for name in features if is_long_text(public[name])]
    cells = [name for name in features if name not in texts]
    views = [_text_view(texts)] if texts else []
    views += [_cell_view(public, cells)] if len(cells) >= FEWEST_CELLS else []
    if not views:
        return None
    rest = hidden.filter(~row_keys(hidden, features).is_in(row_keys(public, features).unique().implode()))
    matches = [_match(view, public, rest) for view in views]
    places = matches[0].places
    for match in matches[1:]:
        places = np.where(places >= 0, places, match.places)
    found = _answers(public, rest, places, scenario)
    return Twins(
        found.height,
        found.height / max(1, hidden.height),
        agreement_of(found, public[scenario.data.target], scenario),
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
    """Of one view: the public case that each hidden one resembles, or −1, and the numbers of `Twins`."""

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
    whole = pl.concat_str([plain_text(name) for name in texts], separator="\n", ignore_nulls=True)
    return _View(lambda frame: _Texts(frame.select(whole.str.head(LONGEST_TEXT).alias("text"))["text"]), False, texts)


def _cell_view(public: pl.DataFrame, cells: list[str]) -> _View:
    grids = [cell for shift in (0.0, 0.5) for cell in grid_of(public, cells, shift)]
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
    shuffles, chance = shuffles_for(count), 0
    for number in range(shuffles):
        sample = KnownRecords(view.records(apart(public, view.features, number)))
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
