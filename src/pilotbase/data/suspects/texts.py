"""Texts that were read in the wrong encoding, and values that differ only in capitals, blanks or width of letters."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator

import polars as pl

from pilotbase.data.suspects.definition import Found, SuspectTable, places_of, suspect

_BEYOND_ASCII = r"[^\x00-\x7f]"
_ALWAYS = re.compile(r"\ufffd|锟斤拷|烫烫烫|ï»¿")
_LATIN = re.compile(
    r"[\u0080-\u00ff\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]{2,}"
)
"""What bytes beyond ASCII look like if they are read as Windows-1252 or Latin-1."""
_CHINESE = re.compile(r"[一-鿿]")
_MOST_DIFFERENT, _MOST_SHARE = 5000, 0.7
"""A text with more different values is no list of names, whose spellings could be compared."""


@suspect("mojibake")
def _mojibake(table: SuspectTable) -> Iterator[Found]:
    """Yield columns with texts that were written in one encoding and read in another."""
    for column in table.columns.values():
        if column.stored.dtype != pl.String:
            continue
        strange = column.stored.filter(column.stored.str.contains(_BEYOND_ASCII)).unique(maintain_order=True)
        broken = [one for one in strange.to_list() if is_mojibake(one)]
        if broken:
            those = column.stored.is_in(broken).fill_null(False).to_numpy()
            yield Found((column.name,), places_of(those), {"value": broken[0][:40]})


def is_mojibake(spelled: str) -> bool:
    """Return whether a text seems to have been read in another encoding than it was written in."""
    return (
        bool(_ALWAYS.search(spelled))
        or any(
            _reads_as_utf8(part, "cp1252") or _reads_as_utf8(part, "latin-1") or _reads_as_gbk(part)
            for part in _LATIN.findall(spelled)
        )
        or (bool(_CHINESE.search(spelled)) and _is_utf8_as_gbk(spelled))
    )


def _reads_as_utf8(part: str, encoding: str) -> bool:
    for start in range(len(part) - 1):
        for end in range(len(part), start + 1, -1):
            try:
                part[start:end].encode(encoding).decode("utf-8")
            except UnicodeError:
                continue
            return True
    return False


def _reads_as_gbk(part: str) -> bool:
    if len(part) < 4:
        return False
    try:
        return all(_CHINESE.match(one) for one in part.encode("latin-1").decode("gb2312"))
    except UnicodeError:
        return False


def _is_utf8_as_gbk(spelled: str) -> bool:
    try:
        read = "".join(one for one in spelled if ord(one) > 127).encode("gbk").decode("utf-8")
    except UnicodeError:
        return False
    return len(read) >= 2 and sum(map(bool, map(_CHINESE.match, read))) > len(read) / 2


@suspect("variants")
def _variants(table: SuspectTable) -> Iterator[Found]:
    """Yield columns in which one value is spelled in several ways."""
    for column in table.words:
        if column.distinct > min(_MOST_DIFFERENT, max(10, _MOST_SHARE * table.height)):
            continue
        if alike := spelled_alike(column.stored):
            rare = [spelled for same in alike for spelled in same[1:]]
            those = column.stored.is_in(rare).fill_null(False).to_numpy()
            yield Found((column.name,), places_of(those), {"values": ", ".join(map(repr, alike[0]))[:80]})


def spelled_alike(values: pl.Series) -> list[tuple[str, ...]]:
    """Return the spellings that differ only in capitals, blanks or the width of letters, the most frequent first."""
    found: dict[str, Counter[str]] = {}
    counts = values.drop_nulls().alias("").value_counts().rows()
    for spelled, count in sorted(counts, key=lambda one: (-one[1], one[0])):
        alike = "".join(unicodedata.normalize("NFKC", spelled).casefold().split())
        found.setdefault(alike, Counter())[spelled] = count
    return [tuple(spelled for spelled, _ in one.most_common()) for one in found.values() if len(one) > 1]
