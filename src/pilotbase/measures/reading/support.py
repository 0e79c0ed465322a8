"""What of a text stands in another one, by words: no meaning is read, a denial of a sentence has nearly its words."""

from __future__ import annotations

import re

from pilotbase.measures.reading.tokens import normal, sentences, tokens

_FUNCTION_WORDS = """
    a an the and or but nor so if then than that this these those it its he she they them his her their we our you your
    i me my is are was were be been being am do does did has have had will would can could shall should may might must
    of in on at to from by with for as about into over under between through during before after above below there here
    what which who whom whose when where why how also only just more most very such own same other
"""
_STOP = frozenset(_FUNCTION_WORDS.split())
"""Words that say nothing by themselves; a denial does."""
_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]+")
_QUOTED = re.compile('“([^“”]+)”|"([^"]+)"|「([^「」]+)」|『([^『』]+)』|«([^«»]+)»')
"""What opens again ends the search: an answer of nothing but opening marks is read once, not once for each."""
_STOPS = " .,;:!?…，。；：！？、"


def supported_share(answer: str, context: str, share: float) -> float:
    """Return the share of the answer's sentences that the context bears out; 0 for an answer that says nothing.

    A sentence is borne out where at least ``share`` of its content words stand in the context, and each of its numbers.
    Chinese by pairs of characters.
    """
    known = _content(context)
    claims = [words for words in map(_content, sentences(answer)) if words]
    borne_out = sum(_numbers(words) <= known and len(words & known) >= share * len(words) for words in claims)
    return borne_out / len(claims) if claims else 0.0


def quotes_in(answer: str) -> list[str]:
    """Return what ``answer`` quotes, in `normal` form, without the stops at its ends."""
    found = (next(filter(None, groups)) for groups in _QUOTED.findall(normal(answer)))
    return [quote for quote in (text.strip(_STOPS) for text in found) if quote]


def stands_in(quote: str, context: str) -> bool:
    """Tell whether a quote of `quotes_in` stands in the context word for word, whatever width, case and script."""
    return quote in normal(context)


def _content(text: str) -> set[str]:
    read = normal(text)
    pairs = {run[place : place + 2] for run in _CHINESE.findall(read) for place in range(max(len(run) - 1, 1))}
    return pairs | {word for word in tokens(read) if word not in _STOP and not _CHINESE.fullmatch(word)}


def _numbers(words: set[str]) -> set[str]:
    return {word for word in words if word.lstrip("-")[:1].isdigit()}
