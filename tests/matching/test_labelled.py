"""How well matches are ordered, on the labelled set: by meaning, by characters and concepts, and by what others use."""

import numpy as np
import pytest

from pilotbase.matching.concepts import CharacterComparer
from pilotbase.matching.judging import ALIKE_WORDS, WEIGHTS
from pilotbase.matching.meaning import open_meaning, open_model
from pilotbase.matching.words import compare_characters
from tests.matching.labelled_for_tests import (
    DIRECTIONS,
    bm25,
    labelled,
    made_up_trials,
    ndcg,
    ndcg_of,
    other_language_share,
)

WITHIN, ACROSS = DIRECTIONS[::3], DIRECTIONS[1:3]


def tfidf(asked, catalogue):
    return np.nan_to_num(compare_characters([one.texts for (one,) in asked], [one.texts for (one,) in catalogue]))


def raw_cosine(asked, catalogue):
    sides = [[embedded(one) for (one,) in side] for side in (asked, catalogue)]
    return np.array(sides[0]) @ np.array(sides[1]).T


def embedded(passage):
    (text,) = passage.texts.values()
    return open_model().embed("offer", text)


def test_the_set_is_what_its_head_says():
    halves = labelled("dev"), labelled("test")
    topics = [topic for half in halves for topic in half.topics]
    assert len(topics) == len(set(topics)) == 108
    assert sum(len(half.grades) for half in halves) == 216
    assert {sector for half in halves for sector, _, _ in half.topics.values()} == {
        "manufacturing", "healthcare", "transport", "finance", "energy", "government",
    }  # fmt: skip
    assert {int(grade) for half in halves for grade in np.unique(half.grades)} == {0, 1, 2, 3}


@pytest.mark.prove
def test_meaning_leads_in_both_languages_and_across():
    test, meaning = labelled("test"), open_meaning().compare
    concepts = CharacterComparer().compare
    ways = {"meaning": meaning, "concepts": concepts, "raw": raw_cosine, "TF-IDF": tfidf, "BM25": bm25}
    found = {name: ndcg_of(way, test) for name, way in ways.items()}
    shares = {name: other_language_share(way, test) for name, way in ways.items()}
    print(*((name, found[name], shares[name]) for name in ways), sep="\n")
    assert all(found["meaning"][each] >= 0.75 for each in WITHIN)
    assert all(found["meaning"][each] >= 0.70 for each in ACROSS)
    assert 0.35 <= shares["meaning"] <= 0.65
    for each in DIRECTIONS:
        assert found["meaning"][each] == max(one[each] for one in found.values())
        assert found["concepts"][each] > max(found["TF-IDF"][each], found["BM25"][each])
    assert all(found["concepts"][each] >= 0.45 > 0.1 > found["TF-IDF"][each] for each in ACROSS), "without a model"


@pytest.mark.prove
def test_a_base_on_its_first_day_orders_as_well():
    """One demand and no other: its mean is the background's."""
    test, meaning = labelled("test"), open_meaning().compare
    found = ndcg_of(lambda asked, catalogue: np.concatenate([meaning([one], catalogue) for one in asked]), test)
    assert all(found[each] >= 0.75 for each in WITHIN) and all(found[each] >= 0.70 for each in ACROSS)


@pytest.mark.prove
@pytest.mark.parametrize(("comparer", "kept"), [(open_meaning, 0.75), (CharacterComparer, 0.55)])
def test_what_is_alike_is_told_from_what_is_not(comparer, kept):
    """Learnt on dev; of the unlike ones the nearest are still shown, under their own heading."""
    test, by = labelled("test"), comparer()
    least, told = ALIKE_WORDS[by.method], []
    for mine, other in DIRECTIONS:
        alike = by.compare(test.demands(mine), test.offers(other)) >= least
        told.append((alike[test.grades == 3].mean(), alike[test.grades == 0].mean()))
    right, wrong = np.mean(told, axis=0)
    assert right >= kept and wrong <= 0.03


@pytest.mark.prove
@pytest.mark.parametrize(
    ("comparer", "carried", "least", "most"),
    [
        (open_meaning, 0.9, 0.02, 0.03), (open_meaning, 0.8, 0.005, 0.015), (open_meaning, 0.7, -0.01, 0),
        (CharacterComparer, 0.9, 0.02, 0.03), (CharacterComparer, 0.7, 0.01, 0.02),
    ],
)  # fmt: skip
def test_evidence_helps_where_verdicts_carry_over_to_similar_scenarios(comparer, carried, least, most):
    """Only an offer that works is worth finding; no contract is known."""
    half, by, found = labelled("test"), comparer(), []
    for direction, (mine, other) in enumerate(DIRECTIONS):
        words = np.nan_to_num(by.compare(half.demands(mine), half.offers(other))).clip(0)
        for right, _, evidence in made_up_trials(half, by, mine, direction, carried):
            grades = half.grades * right
            asked = grades.any(axis=1)
            ways = (WEIGHTS.words * words + weight * evidence for weight in (WEIGHTS.evidence, 0))
            found.append([ndcg(one[asked], grades[asked]) for one in ways])
    with_evidence, without = np.mean(found, axis=0)
    print(comparer.__name__, carried, with_evidence, without)
    assert least < with_evidence - without < most
