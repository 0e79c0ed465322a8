"""Answers as texts: what is read of each kind, and that nothing hostile takes longer than it is."""

import json
import time

import pytest

from pilotbase.documents.answer_texts import (
    ANSWERS,
    MOST_ENTRIES,
    TRUTHS,
    AnswerTextError,
    classes_in,
    read_boxes,
    read_labels,
    read_mask,
    read_ranking,
    right_answer,
)
from pilotbase.documents.limits import EndReason

CLASSES = ("bolt", "nut")


def test_names_are_read_from_both_spellings():
    assert read_labels("nut|bolt", CLASSES) == read_labels('["bolt", "nut", "bolt"]', CLASSES) == (0, 1)
    assert read_labels("", CLASSES) == read_labels("[]", CLASSES) == ()
    assert read_ranking("d2| d1 |d2") == read_ranking('["d2", "d1"]') == ("d2", "d1")


def test_boxes_and_masks_are_read():
    assert read_boxes('[["nut", 1, 2, 3, 4.5, 0.5]]', CLASSES) == ((1.0, 1.0, 2.0, 3.0, 4.5, 0.5),)
    assert read_mask('{"size": [2, 3], "runs": [0, 4, 255, 2]}', CLASSES) == (2, 3, (0, 4, 255, 2))
    truth = '[["nut", 1, 2, 3, 4]]'
    assert TRUTHS["boxes"](truth, CLASSES) == ((1.0, 1.0, 2.0, 3.0, 4.0),)
    assert read_boxes(right_answer(truth, "boxes"), CLASSES)[0][-1] == 1.0
    assert classes_in(truth, "boxes") == {"nut"} and classes_in("nut|bolt", "labels") == set(CLASSES)


STRANGE = [
    ("probabilities", "[0.5, 0.6]", EndReason.WRONG_SUM),
    ("probabilities", '{"bolt": 1}', EndReason.WRONG_COUNT),
    ("probabilities", '{"bolt": 1, "fire": 0}', EndReason.UNKNOWN_CLASS),
    ("probabilities", "[NaN, 1]", EndReason.OUT_OF_RANGE),
    ("probabilities", "[true, 0]", EndReason.WRONG_TYPE),
    ("probabilities", "1", EndReason.WRONG_TYPE),
    ("labels", "fire", EndReason.UNKNOWN_CLASS),
    ("labels", '["bolt", 1]', EndReason.WRONG_TYPE),
    ("labels", "[" * 60_000, EndReason.WRONG_TYPE),
    ("ranking", "|".join(map(str, range(MOST_ENTRIES + 1))), EndReason.OVERSIZED_ANSWER),
    ("boxes", '[["bolt", 0, 0, 1, 1]]', EndReason.WRONG_TYPE),
    ("boxes", '[["bolt", 0, 0, 1, 1, NaN]]', EndReason.WRONG_TYPE),
    ("boxes", '[["bolt", 0, 0, 1, 1, true]]', EndReason.WRONG_TYPE),
    ("boxes", f'[["bolt", 1{"0" * 400}, 0, 1, 1, 1]]', EndReason.WRONG_TYPE),
    ("boxes", f'[["bolt", 1{"0" * 5000}, 0, 1, 1, 1]]', EndReason.WRONG_TYPE),
    ("boxes", '[["bolt", 0, 0, 1, -1, 1]]', EndReason.OUT_OF_RANGE),
    ("boxes", '[["bolt", 0, 0, 1, 1, 1.5]]', EndReason.OUT_OF_RANGE),
    ("boxes", '[["fire", 0, 0, 1, 1, 1]]', EndReason.UNKNOWN_CLASS),
    ("boxes", json.dumps([["bolt", 0, 0, 1, 1, 1]] * (MOST_ENTRIES + 1)), EndReason.OVERSIZED_ANSWER),
    ("mask", '{"size": [2, 2], "runs": [0, 5]}', EndReason.WRONG_COUNT),
    ("mask", '{"size": [2, 2], "runs": [2, 4]}', EndReason.UNKNOWN_CLASS),
    ("mask", '{"size": [0, 2], "runs": []}', EndReason.WRONG_TYPE),
    ("mask", '{"size": [99999, 99999], "runs": [0, 9999800001]}', EndReason.WRONG_TYPE),
    ("mask", f'{{"size": [1{"0" * 4000}, 1], "runs": []}}', EndReason.WRONG_TYPE),
    ("mask", '{"size": [1, 1], "runs": [0, 1], "more": 1}', EndReason.WRONG_TYPE),
    ("mask", "[]", EndReason.WRONG_TYPE),
]


@pytest.mark.parametrize(("kind", "text", "reason"), STRANGE, ids=lambda value: str(value)[:30])
def test_what_is_no_answer_has_its_reason_and_costs_little(kind, text, reason):
    began = time.process_time()
    with pytest.raises(AnswerTextError) as refused:
        ANSWERS[kind](text, CLASSES)
    assert refused.value.reason is reason and time.process_time() - began < 0.5


@pytest.mark.parametrize("read", [read_labels, read_ranking])
def test_half_a_letter_is_no_name(read):
    """JSON can spell it, and nobody could write it into a page, a log or a table."""
    with pytest.raises(AnswerTextError) as refused:
        read('["\\ud800"]', ("\ud800",))
    assert refused.value.reason is EndReason.WRONG_TYPE
    assert read_ranking('["\\ud83d\\ude00"]') == ("\U0001f600",)
