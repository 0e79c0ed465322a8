"""Without a model, the concepts of both languages lead across: no list of either language alone does."""

import numpy as np
import pytest

from pilotbase.matching.comparing import Passage
from pilotbase.matching.concepts import CharacterComparer, compare_concepts
from pilotbase.matching.words import texts_of
from tests.matching.bilingual_for_tests import PROBLEMS

CHINESE, ENGLISH = ([(Passage("demand", texts_of([said[place]])),) for said in PROBLEMS.values()] for place in (0, 1))


def compare(asked, catalogue):
    return CharacterComparer().compare(asked, catalogue)


def said(text, kind="demand"):
    return [Passage(kind, texts_of([text]))]


def test_each_problem_is_found_in_the_other_language():
    for asked, catalogue in ((ENGLISH, CHINESE), (CHINESE, ENGLISH)):
        assert (compare(asked, catalogue).argmax(axis=1) == np.arange(len(PROBLEMS))).mean() >= 0.9


def test_the_longest_term_counts_and_words_are_not_cut():
    heart, stroke = said("心力衰竭再入院"), said("心脏")
    told = compare_concepts(said("Heart failure: readmission"), [*heart, *stroke])
    assert told[0, 0] > 0.9 > told[0, 1]
    assert np.isnan(compare_concepts(said("The cart is arcane"), said("汽车"))).all(), "a cart is no car"


def test_a_text_that_names_no_concept_is_told_by_its_characters_and_never_across():
    odd = [(one,) for one in (*said("甲乙丙丁戊己庚辛"), *said("Quite wonderful indeed", "offer"))]
    found = compare(odd, [odd[0], odd[1], CHINESE[0]])
    assert found[0, 0] > 0 and np.isnan(found[0, 1]) and np.isnan(found[1, 2]) and not np.isnan(found[0, 2])


@pytest.mark.parametrize("odd", ["a.b|c,d", "\\", "(", "ＣＴ　断层", "x" * 50_000])
def test_odd_texts_are_compared_without_harm(odd):
    one = (Passage("demand", texts_of([odd])),)
    assert np.all(np.abs(np.nan_to_num(compare([one], [*CHINESE, *ENGLISH, one]))) <= 1)
