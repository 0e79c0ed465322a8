"""What a language model says is read as an answer of the contract, in English and Chinese, or it abstains."""

import time

import numpy as np
import pytest

from pilotbase.documents.contract import Prediction
from pilotbase.documents.endpoint import AnswerParsing
from pilotbase.protocols.frames import FrameError
from pilotbase.sandbox.box.ends import BoxEnded
from pilotbase.sandbox.endpoints.prompted import AnswerReader
from pilotbase.sandbox.endpoints.wire import checked

LABEL = Prediction(kind="label", classes=("fine", "broken", "停机"))
NUMBER = Prediction(kind="value")


def read(words, prediction=LABEL, **reading):
    return AnswerReader(AnswerParsing(**reading), prediction).read(words)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("fine", 0), (" broken\n", 1), ("“停机”。", 2), ("**fine**", 0), ("Broken.", None), ("fine or broken", None),
        ("The pump is fine", None), ("", None), ("  \n", None), ("broken!", None),
    ],
)  # fmt: skip
def test_a_label_is_the_class_that_the_words_are(words, code):
    assert read(words) == code


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("42", 42.0), (" -3.5e2 ", -350.0), ("1,234.5", 1234.5), ("１２．５", 12.5), ("**7**", 7.0), ("about 5", None),
        ("1 or 2", None), ("1e400", None), ("nan", None), ("inf", None),
    ],
)  # fmt: skip
def test_a_value_is_a_number_and_nothing_else(words, number):
    assert read(words, NUMBER) == number


def test_a_probability_lies_between_nought_and_one():
    asked = Prediction(kind="probability", classes=("a", "b"), positive="a")
    assert [read(words, asked) for words in ("0.3", "1", "1.2", "-0.1", "85%")] == [0.3, 1.0, None, None, None]


def test_an_interval_is_two_numbers_the_lower_first():
    asked = Prediction(kind="interval")
    found = [read(words, asked) for words in ("[1.5, 3]", "from 2 to 1", "5", "-1 … 1")]
    assert found == [(1.5, 3.0), None, None, (-1.0, 1.0)]


@pytest.mark.parametrize(
    ("reading", "words", "answer"),
    [
        ({"read": "first_line"}, "\n fine \nbecause the pressure is low", 0),
        ({"read": "regex", "pattern": r"Answer: *(\w+)"}, "Let me think. Answer: broken. Done.", 1),
        ({"read": "regex", "pattern": "fine|broken"}, "I say broken", 1),
        ({"read": "regex", "pattern": "答案：(.+)$"}, "答案：停机", 2),
        ({"read": "regex", "pattern": "Answer: (.+)"}, "no idea", None),
        ({"read": "json_field", "field": "state"}, '```json\n{"why": {"a": 1}, "state": "fine"}\n```', 0),
        ({"read": "json_field", "field": "state"}, '{"state": null}', None),
        ({"read": "json_field", "field": "state"}, '{"state": "fine"', None),
        ({"read": "json_field", "field": "state"}, "{" * 100_000, None),
        ({"read": "json_field", "field": "state"}, "no json", None),
    ],
)
def test_where_the_answer_stands_is_told(reading, words, answer):
    assert read(words, **reading) == answer


def test_the_last_number_is_found_in_words_of_either_language():
    words = ("So 3 times 4 is 12.", "共 1,200 件，剩余３７件。", "nothing")
    assert [read(one, NUMBER, read="last_number") for one in words] == [12.0, 37.0, None]


def test_a_text_is_the_words_and_a_structure_must_be_one():
    assert read(" Paris \n", Prediction(kind="text")) == "Paris"
    many = Prediction(kind="labels", classes=("a", "b"))
    assert [read(words, many) for words in ('["a", "b"]', "a|b", "c", "")] == ['["a", "b"]', "a|b", None, None]
    assert read("x" * 20, Prediction(kind="text", longest=10)) is None


def test_a_column_of_answers_holds_as_those_of_a_box_do():
    for prediction, values in ((LABEL, [0, None, 2]), (NUMBER, [1.5, None]), (Prediction(kind="text"), ["a", None])):
        column = AnswerReader(AnswerParsing(), prediction).column(values)
        found = checked(column, prediction).values.tolist()
        expected = [(-1 if prediction is LABEL else None) if value is None else value for value in values]
        assert [None if isinstance(one, float) and np.isnan(one) else one for one in found] == expected
    ends = AnswerReader(AnswerParsing(), Prediction(kind="interval")).column([(1.0, 2.0), None])
    assert checked(ends, Prediction(kind="interval")).values.shape == (2, 2)


HALF = "a\ud800b"  # half of a pair of surrogates, as JSON may spell it


@pytest.mark.parametrize(
    ("words", "reading"),
    [
        (HALF, {}),
        (HALF, {"read": "regex", "pattern": "(a.*b)"}),
        ('{"x": "a\\ud800b"}', {"read": "json_field", "field": "x"}),
    ],
)
def test_half_a_letter_is_a_question_mark(words, reading):
    assert read(words, Prediction(kind="text"), **reading) == "a?b"


def test_half_a_letter_that_a_wire_hands_on_breaks_the_contract():
    with pytest.raises(FrameError):
        checked(np.array([HALF], dtype=object), Prediction(kind="text"))


def test_no_pattern_and_no_text_take_long():
    reader = AnswerReader(AnswerParsing(read="regex", pattern="(a+)+(a+)+b"), LABEL)
    began = time.process_time()
    assert reader.read("a" * 100_000) is None
    assert read("1," * 400_000, NUMBER, read="last_number") == 1.0
    assert time.process_time() - began < 2


@pytest.mark.parametrize("pattern", ["(", "(?<=a)b", r"(a)\1"])
def test_a_pattern_that_cannot_be_read_is_told_at_once(pattern):
    with pytest.raises(BoxEnded) as ended:
        AnswerReader(AnswerParsing(read="regex", pattern=pattern), LABEL)
    assert "pattern" in ended.value.detail
