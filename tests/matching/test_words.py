"""Likeness of characters: a Chinese paraphrase finds its text, English finds English, nothing is claimed between."""

import numpy as np
import pytest

from pilotbase.matching.words import compare_characters as compare
from pilotbase.matching.words import texts_of
from tests.matching.bilingual_for_tests import PROBLEMS

CHINESE, ENGLISH, PARAPHRASED = ([texts_of([one]) for one in column] for column in zip(*PROBLEMS.values(), strict=True))


def top_1(values):
    return int((values.argmax(axis=1) == np.arange(len(values))).sum())


def test_a_chinese_paraphrase_finds_its_scenario():
    """Reference figure for characters (1-2): 8 of 10."""
    for asked, catalogue in ((PARAPHRASED, CHINESE), (CHINESE, PARAPHRASED)):
        values = compare(asked, catalogue)
        assert top_1(values) / len(values) >= 0.8
        others = values[~np.eye(len(values), dtype=bool)]
        assert np.diagonal(values).mean() > 0.2 > 0.05 > others.mean()


def test_between_languages_nothing_is_told():
    """Characters cannot tell: NaN, and not a number that looks like an answer."""
    assert np.isnan(compare(ENGLISH, CHINESE)).all()


def test_one_text_in_both_languages_bridges_them():
    both = [texts_of([chinese, english]) for chinese, english, _ in PROBLEMS.values()]
    assert top_1(compare(ENGLISH, both)) == len(both)
    assert top_1(compare(PARAPHRASED, both)) >= 0.8 * len(both)


def test_what_every_text_says_tells_nothing():
    """Raw cosines of these are all high: the words of the trade. Centred, the one word that differs decides."""
    trade = "本场景面向行业企业，利用人工智能技术和历史数据，提升生产效率，降低运营成本。"
    catalogue = [texts_of([trade + subject]) for subject in ("锅炉", "电梯", "水泵", "桥梁", "轮胎")]
    values = compare([texts_of([trade + "水泵振动"])], catalogue)[0]
    assert values.argmax() == 2 and values[2] > 0.5
    assert np.delete(values, 2).max() < 0.2


def test_languages_are_told_by_letters_and_not_by_where_they_were_filed():
    assert list(texts_of(["铣床 AI4I 故障预警 alarm"])) == ["zh"]
    assert list(texts_of(["Spindle of the machine 主轴 breaks again and again"])) == ["en"]
    assert texts_of(["  ", "—", "2026"]) == {}


@pytest.mark.parametrize(
    "odd", ["Ｗａｒｎｓ the ｓｈｉｆｔ", "Wаrns thе shіft", "Wa\u200brns the sh\u00adift", "Warns\nthe\x00shift"]
)
def test_widths_look_alikes_and_hidden_letters_are_compared_as_they_look(odd):
    assert texts_of([odd]) == texts_of(["Warns the shift"])


def test_empty_and_identical():
    assert compare(CHINESE[:1], []).shape == (1, 0)
    assert np.isnan(compare([{}], CHINESE)).all()
    same = compare(CHINESE[:2], [CHINESE[0]] * 3000)
    assert np.allclose(same, same[:, :1]) and np.isfinite(same).all()
    assert compare(CHINESE[:1], CHINESE[:1])[0, 0] == pytest.approx(1)


@pytest.mark.parametrize("odd", ["a", "铣", "\ud800 broken", "\x00\x00", "x" * 100_000, "𠀀𠀀 rare"])
def test_odd_texts_are_compared_without_harm(odd):
    assert np.all(np.abs(np.nan_to_num(compare([texts_of([odd])], [*CHINESE, *ENGLISH, texts_of([odd])]))) <= 1)
