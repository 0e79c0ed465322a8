"""Near copies are found where they were planted, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest

from pilotbase.measures.minhash import SIMILAR, jaccard, near_copies, signature, text_shingles

WORDS = ["valve", "motor", "bearing", "pressure", "drops", "after", "noise", "shift", "night", "oil", "leak", "belt"]


def sentences(number: int, seed: int, words: int = 40) -> list[str]:
    draw = np.random.default_rng(seed)
    return [" ".join(f"{draw.choice(WORDS)}{draw.integers(100)}" for _ in range(words)) for _ in range(number)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_planted_near_copies_are_found_and_no_others(seed):
    originals = sentences(200, seed)
    copies = [original[:-12] + "other end." for original in originals[:37]]
    records = [text_shingles(one) for one in (*originals, *copies)]
    similar = [jaccard(records[place], records[200 + place]) for place in range(37)]
    assert min(similar) >= SIMILAR
    assert near_copies(records) == list(range(200, 237))


def test_what_is_less_similar_is_proposed_and_refused():
    original = sentences(1, 5)[0]
    half = original[: len(original) // 2] + sentences(1, 6)[0][: len(original) // 2]
    assert 0.2 < jaccard(text_shingles(original), text_shingles(half)) < SIMILAR
    assert near_copies([text_shingles(original), text_shingles(half)]) == []


def test_signatures_agree_as_often_as_sets_are_similar():
    draw = np.random.default_rng(4)
    shared, one, other = (draw.integers(0, 2**63, size, dtype=np.uint64) for size in (600, 200, 200))
    sets = [np.unique(np.concatenate([shared, own])) for own in (one, other)]
    agreeing = float((signature(sets[0]) == signature(sets[1])).mean())
    assert agreeing == pytest.approx(jaccard(*sets), abs=0.15)


def test_nothing_is_a_copy_of_nothing():
    empty, text = text_shingles(""), text_shingles("abc")
    assert len(empty) == 0 and len(text) == 1
    assert near_copies([empty, empty, text, text]) == [3]


def test_a_thousand_records_that_are_all_the_same_take_no_long_time():
    same = text_shingles(sentences(1, 7)[0])
    assert len(near_copies([same] * 1000)) == 999
