"""The labelled set: demands and offers of five sectors and government, in Chinese and English, with grades.

``labelled/dev.txt`` and ``labelled/test.txt`` hold 54 topics each, split by topic; the concepts and all weights were
learnt on dev. A family ``= sector topic grade topic`` is two topics that a careless reader would mix up (same sector
and another task, same words and another target). Each topic has an offer (``o``) and two demands (``d``), each in
Chinese and English, told apart and not translated word by word. Grades: 3 for the offer of the demand's own topic, 1 or
2 for that of its sibling (2: it would do part of the work; 1: the same setting, another task), 0 for all others. Texts
and grades were written by one author, a language model at work on this project, before anything was measured on them,
and nobody graded them a second time: figures on them are kinder than those of a set by others.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from pilotbase.matching.comparing import Passage
from pilotbase.matching.words import texts_of

FOLDER = Path(__file__).parent / "labelled"
LANGUAGES = ("zh", "en")
DIRECTIONS = tuple((mine, other) for mine in LANGUAGES for other in LANGUAGES)
TOP = 10


@dataclass(frozen=True)
class Labelled:
    """Topic → (sector, offer, demands), each text as (Chinese, English), and grades of siblings."""

    topics: dict
    siblings: dict

    @cached_property
    def grades(self):
        """Return one row per demand, one column per offer."""
        return np.array([[3 if one == own else self.siblings[own].get(one, 0) for one in self.topics]
                         for own, (_, _, demands) in self.topics.items() for _ in demands])  # fmt: skip

    def offers(self, language):
        return [passages("offer", offer, language) for _, offer, _ in self.topics.values()]

    def demands(self, language):
        return [passages("demand", one, language) for _, _, demands in self.topics.values() for one in demands]


def labelled(half):
    """Return the ``dev`` or ``test`` half."""
    topics, siblings, names, sector = {}, {}, [], ""
    for line in (FOLDER / f"{half}.txt").read_text("utf-8").splitlines():
        mark, rest = line.split(" ", 1)
        if mark == "=":
            sector, first, grade, second = rest.split()
            siblings |= {first: {second: int(grade)}, second: {first: int(grade)}}
            names += [first, second]
        elif mark == "o":
            topics[names[len(topics)]] = (sector, rest.split(" | "), [])
        else:
            topics[names[len(topics) - 1]][2].append(rest.split(" | "))
    return Labelled(topics, siblings)


def passages(kind, said, language):
    return (Passage(kind, texts_of([said[LANGUAGES.index(language)]])),)


def ndcg(values, grades):
    """Return the mean nDCG of the first ten, gain 2^grade - 1; NaN comes last."""
    places = np.argsort(-np.nan_to_num(values, nan=-2), axis=1, kind="stable")[:, :TOP]
    discounts = 1 / np.log2(np.arange(2, TOP + 2))
    found = (2.0 ** np.take_along_axis(grades, places, 1) - 1) @ discounts
    best = (2.0 ** -np.sort(-grades, axis=1)[:, :TOP] - 1) @ discounts
    return float((found / best).mean())


def ndcg_of(compare, half):
    """Return (asked, offered) language → nDCG@10 of ``compare(asked, catalogue)``."""
    return {each: ndcg(compare(half.demands(each[0]), half.offers(each[1])), half.grades) for each in DIRECTIONS}


def made_up_trials(half, comparer, language, seed, carried):
    """Yield which offers work, which were tried, and the evidence for each demand, a hundred times.

    Six in ten work, and half were tried on their topic's other demand. ``carried``: the share of verdicts that hold for
    the demand in question too.
    """
    chance, number = np.random.default_rng(seed), len(half.topics)
    works, tried, told = (chance.random((100, number)) < share for share in (0.6, 0.5, carried))
    alike = np.nan_to_num(comparer.compare(half.demands(language), half.demands(language))).clip(0) / 2
    likeness = alike[np.arange(2 * number)[:, None], 2 * np.arange(number) + 1 - np.arange(2 * number)[:, None] % 2]
    for right, known, correct in zip(works, tried, told, strict=True):
        evidence = np.where(right == correct, likeness, -likeness) * known
        yield right, known & (right == correct), evidence / (1 + np.abs(evidence))


def other_language_share(compare, half):
    """Return the share of the other language in the top ten, of a list that holds each offer in both languages."""
    catalogue, number = [*half.offers("zh"), *half.offers("en")], len(half.topics)
    shares = []
    for language in LANGUAGES:
        values = np.nan_to_num(compare(half.demands(language), catalogue), nan=-2)
        first = np.argsort(-values, axis=1, kind="stable")[:, :TOP]
        shares.append((first >= number if language == "zh" else first < number).mean())
    return float(np.mean(shares))


def bm25(asked, catalogue):
    """Return BM25 over English words and pairs of Chinese characters (k1 1.2, b 0.75)."""
    said = [_terms(one[0].texts) for one in catalogue]
    known = {term: place for place, term in enumerate(sorted({term for one in said for term in one}))}
    counts = np.zeros((len(said), len(known)))
    for row, terms in enumerate(said):
        for term in terms:
            counts[row, known[term]] += 1
    lengths, held = counts.sum(axis=1, keepdims=True), (counts > 0).sum(axis=0)
    rarity = np.log(1 + (len(said) - held + 0.5) / (held + 0.5))
    weights = rarity * counts * 2.2 / (counts + 1.2 * (0.25 + 0.75 * lengths / lengths.mean()))
    asking = np.zeros((len(asked), len(known)))
    for row, one in enumerate(asked):
        asking[row, [known[term] for term in set(_terms(one[0].texts)) if term in known]] = 1
    return asking @ weights.T


def _terms(texts):
    pairs = [first + second for first, second in zip(texts.get("zh", ""), texts.get("zh", "")[1:], strict=False)]
    return [*pairs, *texts.get("en", "").split()]
