"""The cues of a demand: which terms its sentences hold, how each part is meant, and what is meant for a program.

A sentence that gives orders to a program isn't read for values; what follows it in its paragraph fills gaps only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

from pilotbase.documents.catalogues import catalogue
from pilotbase.documents.demand import DemandField
from pilotbase.documents.texts import LANGUAGES
from pilotbase.matching.folding import Folded, Sentence, TextSpan, fold
from pilotbase.matching.lexicon import CueFacet, lexicon

Mode = Literal["", "wish", "today", "have"]
_MODES: tuple[Mode, ...] = ("wish", "today", "have")
"""Of several in one clause the first counts."""
_LEXICONS = ("cues", "concepts")
_ORDER = re.compile(
    r"(?:忽略|无视|忘记|跳过)(?:掉|以上|上述|之前|前面|上面|所有|一切|此前)|你(?:现在)?是(?:一个|一名)|系统提示|提示词|"
    r"(?:作为|扮演)一?[个名]?(?:ai|人工智能|助手|语言模型|模型)|"
    r"[把将](?:行业|领域|任务|成本|损失|漏报|误报|级别|风险|数据|结果|所有|该)[^,]{0,12}(?:设为|设成|设置为|改为|改成|标为|判为|填写?为)|"
    r"(?:ignore|disregard|forget|override|bypass)\s(?:all|any|the|every|your|previous|prior|above|earlier|these|those)\b|"
    r"\byou are (?:now )?an? |\bas an ai\b|system prompt|<\|?/?(?:system|im_start|im_end|user|assistant)\b|\[/?inst\]|"
    r"^\W*(?:system|assistant)\s?:|\b(?:respond|reply|answer|output) (?:only|with only|in json)|"
    r"\b(?:set|mark|change|report|classify) (?:the )?"
    r"(?:sector|task|costs?|fields?|bands?|risk|data_may_leave|this demand|every)\b"
)


@dataclass(frozen=True)
class CueHit(TextSpan):
    """A term of a cue, as places in the folded text; ``mode``: how its part of the sentence is meant."""

    facets: tuple[CueFacet, ...]
    mode: Mode
    line: tuple[str, int]
    """The lexicon and its line: the same term said twice counts less than two terms."""


@dataclass(frozen=True)
class Stated:
    """A line such as ``Sector: healthcare``: a field by its name, and the words behind it, as places in the text."""

    path: DemandField
    words: TextSpan


@dataclass(frozen=True)
class SentenceRead:
    """A sentence that may hold values, with its hits; ``after_order``: it follows an order in its paragraph."""

    sentence: Sentence
    hits: tuple[CueHit, ...]
    after_order: bool

    def facets(self, name: str) -> list[tuple[CueHit, CueFacet]]:
        """Return the hits with a facet of a name."""
        return [(hit, facet) for hit in self.hits for facet in hit.facets if facet.name == name]


@dataclass(frozen=True)
class Reading:
    """A demand, read once."""

    folded: Folded
    sentences: tuple[SentenceRead, ...]
    stated: tuple[Stated, ...]
    orders: tuple[Sentence, ...]


def read_demand(text: str) -> Reading:
    """Read the sentences of a demand."""
    folded = fold(text)
    kept, stated, orders, ordered = [], [], [], False
    for sentence in folded.sentences:
        named = _stated(sentence)
        if _ORDER.search(sentence.words):
            orders.append(sentence)
            ordered = True
        elif named is not None:
            stated.append(named)
        else:
            kept.append(SentenceRead(sentence, tuple(_hits(sentence)), ordered))
        ordered = ordered and not sentence.words.endswith("\n")
    return Reading(folded, tuple(kept), tuple(stated), tuple(orders))


@lru_cache(maxsize=1)
def _names() -> Mapping[str, DemandField]:
    """Return the folded name of each field, in both languages."""
    return {
        fold(catalogue("demand", language)[f"demand.field.{path}"]).words: path
        for path in get_args(DemandField)
        for language in LANGUAGES
    }


def _stated(sentence: Sentence) -> Stated | None:
    name, colon, _ = sentence.words.partition(":")
    path = _names().get(name.strip()) if colon else None
    return Stated(path, TextSpan(sentence.start + len(name) + 1, sentence.end)) if path is not None else None


def _hits(sentence: Sentence) -> Iterator[CueHit]:
    mode: Mode = ""
    for clause in sentence.clauses:
        words = sentence.words[clause.start : clause.end]
        found = [
            (term, name, line, lexicon(name).facets[line])
            for name in _LEXICONS
            for term in lexicon(name).named_in(words, sentence.language)
            for line in term.lines
        ]
        told = {facet.value for *_, facets in found for facet in facets if facet.name == "mode"}
        mode = next((one for one in _MODES if one in told), mode)
        start = sentence.start + clause.start
        for term, name, line, facets in found:
            if facets:
                yield CueHit(start + term.start, start + term.end, facets, mode, (name, line))
