"""The language that the texts of a dataset are in: Chinese or English, by their letters."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pilotbase.data.describing.guesses import Guess, Sure
from pilotbase.data.describing.references import ObservedTable
from pilotbase.documents.dataset import FieldType
from pilotbase.documents.texts import text

_CJK = re.compile(r"[一-鿿]")
_WORD = re.compile(r"[A-Za-z]{3,}")
_SHARE = 0.1


def guess_language(observed: Sequence[ObservedTable]) -> tuple[tuple[str, ...], Guess] | None:
    """Return the languages of names and texts, and why; None where neither has words."""
    columns = [column for one in observed for column in one.columns]
    said = [column.name for column in columns]
    said += [value for column in columns if column.data_type is FieldType.TEXT for value in column.sample]
    chinese = sum(_CJK.search(value) is not None for value in said)
    english = sum(_WORD.search(value) is not None and _CJK.search(value) is None for value in said)
    fewest = max(1.0, _SHARE * (chinese + english))
    ordered = sorted((("zh", chinese), ("en", english)), key=lambda one: -one[1])
    languages = tuple(tag for tag, count in ordered if count >= fewest)
    if not languages:
        return None
    ground = text("describe.ground.language", chinese=chinese, english=english)
    return languages, Guess("inLanguage", ground, Sure.LIKELY)
