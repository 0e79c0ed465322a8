"""What else of a feature, or of the order of rows, may say the answer: a number within an id, one word of a text.

Text features are seen as the number in them, what they begin with, how long they are, and which telling word they
hold: for each class the word that the public sample has most with it and least without it. Words are runs of letters
and digits, so a language without blanks is seen by its clauses only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

PARTS = 32
"""Parts into which the order of rows is cut."""
_FEW_VALUES = 50
_MOST_CASES, _MOST_CLASSES = 20_000, 50
_WORD = r"[\p{L}\p{N}_]+"


@dataclass(frozen=True)
class FeaturePart:
    """A part of a feature: what it is (``number``, ``beginning``, ``length``, ``word``), in public and hidden cases."""

    kind: str
    public: pl.Series
    hidden: pl.Series


def parts_of_text(public: pl.Series, hidden: pl.Series, answers: pl.Series | None) -> Iterator[FeaturePart]:
    """Yield the parts of a text feature with many values; ``answers``: classes of public cases, None for numbers."""
    if public.dtype != pl.String or public.n_unique() <= _FEW_VALUES:
        return
    for kind, part in _PARTS.items():
        sides = [side.to_frame().select(part(pl.col(side.name))).to_series() for side in (public, hidden)]
        if sides[0].null_count() < len(public) / 2:
            yield FeaturePart(kind, *sides)
    if answers is not None:
        telling = _telling_words(public, answers)
        if telling:
            yield FeaturePart("word", _held(public, telling), _held(hidden, telling))


def place_in_order(cases: int, parts: int | None = PARTS) -> pl.Series:
    """Return in which of so many equal parts of the order each row stands; None: at which row."""
    rows = pl.Series("order", range(cases), dtype=pl.Int64)
    return rows if parts is None else rows * parts // max(cases, 1)


def _number(text: pl.Expr) -> pl.Expr:
    return text.str.extract(r"(\d{1,15})").cast(pl.Float64, strict=False)


def _beginning(text: pl.Expr) -> pl.Expr:
    return text.str.extract(r"^(\P{N}{1,12})").str.to_lowercase()


def _length(text: pl.Expr) -> pl.Expr:
    return text.str.len_chars().cast(pl.Int64)


_PARTS = {"number": _number, "beginning": _beginning, "length": _length}


def _words(texts: pl.Series) -> pl.Series:
    return texts.str.to_lowercase().str.extract_all(_WORD).list.unique()


def _telling_words(texts: pl.Series, answers: pl.Series) -> list[str]:
    """Return the word of each class that stands most often in its texts and least in others, the surest first."""
    held = pl.DataFrame({"word": _words(texts.head(_MOST_CASES)), "answer": answers.head(_MOST_CASES)})
    pairs, count = (
        held.explode("word").drop_nulls("word").group_by("word", "answer").len(),
        pl.col("len").cast(pl.Int64),
    )
    net = pairs.with_columns((2 * count - count.sum().over("word")).alias("net"))
    best = net.sort("net", "word", descending=[True, False]).unique("answer", keep="first", maintain_order=True)
    return best.filter(pl.col("net") > 0).head(_MOST_CLASSES)["word"].to_list()


def _held(texts: pl.Series, telling: list[str]) -> pl.Series:
    """Return which of the telling words each text holds: the place of the first, null for none."""
    words = pl.DataFrame({"words": _words(texts)})
    places = [pl.when(pl.col("words").list.contains(word)).then(place) for place, word in enumerate(telling)]
    return words.select(pl.coalesce(*places, pl.lit(None)).cast(pl.Int64).alias("word")).to_series()
