"""What is read out of answers in words, English and Chinese alike, and what each measure of texts decides."""

from __future__ import annotations

import time
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.errors import InputError
from pilotbase.measures import Cases, RuleContext, measures, problems_among, problems_of, score
from pilotbase.measures.formulas.refusals import declines
from pilotbase.measures.rules import given_columns
from pilotbase.measures.stated_answers import chosen_letter, last_number
from pilotbase.measures.text_pairs import common_subsequence, sentences, tokens


def texts(truth: Any, answers: Any, **columns: Any) -> Cases:
    read = {name: np.array(values, dtype=object) for name, values in columns.items()}
    return Cases(np.array(truth, dtype=object), np.array(answers, dtype=object), kind="text", given=read)


def value(rule: str, truth: Any, answers: Any, **columns: Any) -> float | None:
    return score(parse_rule(rule), texts(truth, answers, **columns))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("The total is 1,234.50 dollars.", Fraction(2469, 2)), ("x = -3", -3), ("-$5", -5), ("from 3-5", 5),
        ("5 m²", 5), ("CO2 fell by 7 t", 7), ("CO2", None), ("占 12%", Fraction(3, 25)), ("１２３", 123), ("2.", 2),
        ("1.2万", 12_000), ("3千米", 3), ("3千万元", 30_000_000), ("1.2 million people", 1_200_000), ("1e5", 100_000),
        ("一百二十", 120), ("一百二", 120), ("一百零二", 102), ("十二", 12), ("两万", 20_000), ("二〇二四年", 2024),
        ("一亿三千万", 130_000_000), ("负三点五", Fraction(-7, 2)), ("百分之五十", Fraction(1, 2)), ("壹佰贰拾叁", 123),
        ("三分之一", Fraction(1, 3)), ("一千萬", 10_000_000), ("答案是12，一定没错", 12), ("none", None), ("", None),
        ("8 or 9", 9), ("1" * 200, None), ("1e99", Fraction(10) ** 99), ("零分之一", None), ("一万零五十", 10_050),
    ],
)  # fmt: skip
def test_the_last_number_is_read_as_a_person_reads_it(text: str, number: Any) -> None:
    assert last_number(text) == number


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B", "B"), ("(b)", "B"), ("B.", "B"), ("Ｂ", "B"), ("答案：B", "B"), ("答案是（C）。", "C"), ("选B", "B"),
        ("The answer is B.", "B"), ("ANSWER: D", "D"), ("The correct answer is: **C**", "C"), ("Option A", "A"),
        ("B. Paris", "B"), ("A dog", None), ("I think it is C", "C"), ("故选 D", "D"), ("应选Ａ", "A"),
        ("B or C", None),
        ("The answer is \\boxed{\\text{D}}", "D"), ("I cannot say", None), ("the answer is a dog", None),
        ("A is wrong. Answer is C", "C"), ("The answer is A. No, the answer is B.", "B"), ("正确答案为A", "A"),
        ("", None),
    ],
)  # fmt: skip
def test_the_letter_is_the_one_that_is_said_to_be_the_answer(text: str, letter: str | None) -> None:
    assert chosen_letter(text) == letter


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I'm sorry, but I can't help with that.", True), ("I cannot provide that.", True), ("I don't know.", True),
        ("抱歉，我无法回答这个问题。", True), ("我無法提供", True), ("作为一个人工智能助手", True), ("As an AI", True),
        ("The valve cannot be opened by hand.", False), ("We will not see rain.", False), ("不能启动电机。", False),
        ("Yes. " * 60 + "I cannot answer", False),
    ],
)  # fmt: skip
def test_declining_in_words_is_found_at_the_beginning_and_other_denials_are_not(text: str, said: bool) -> None:
    assert declines(text) == said


def test_words_are_one_whatever_width_case_script_and_punctuation() -> None:
    assert tokens("Ｔhe Pump's ＯＫ: 1,234.5 — abc水泵，萬") == [
        "the",
        "pump's",
        "ok",
        "1234.5",
        "abc",
        "水",
        "泵",
        "万",
    ]
    assert tokens("-5 and 3-5") == ["-5", "and", "3", "5"], "a sign is kept, a dash is none"
    assert sentences("One. Two! 三。四？\n\n---\nfive") == ["One.", "Two!", "三。", "四？", "five"]


@given(st.text("ab", max_size=12), st.text("ab", max_size=12))
def test_the_common_subsequence_is_that_of_the_table(one: str, two: str) -> None:
    table = [[0] * (len(two) + 1) for _ in range(len(one) + 1)]
    for i, a in enumerate(one):
        for j, b in enumerate(two):
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
    assert common_subsequence(one, two) == table[-1][-1]


def test_texts_by_hand() -> None:
    assert value("normalised_match >= 0", ["The red car", "水泵"], ["red, CAR!", "水 泵。"]) == 1
    assert value("normalised_match >= 0", ["-5", "+"], ["5", "-"]) == 0
    assert value("token_f1 >= 0", ["red car"], ["a red bus"]) == 0.5
    assert value("token_f1 >= 0", ["水泵漏油"], ["水泵坏了"]) == 0.5
    assert value("rouge_l >= 0", ["the cat sat"], ["sat the cat"]) == pytest.approx(2 / 3, abs=1e-9)
    assert value("wer <= 1", ["the cat sat", "水泵"], ["The cat sit.", "水"]) == 2 / 5
    assert value("contains >= 0", ["50 bar|pump", "水泵|漏油"], ["The pump: 50 bar", "水泵完好"]) == 0.5
    assert value("key_points >= 0", ["50 bar|pump", "水泵|漏油"], ["The pump: 50 bar", "水泵完好"]) == 0.75
    assert value("contains >= 0", ["art"], ["the cart"]) == 0, "words, not letters"
    assert value("choice >= 0", ["B", "(C)"], ["答案：B", "A"]) == 0.5
    assert value("numeric_match >= 0", ["一百二十", "0.3"], ["It is 120.", "0.1 + 0.2 = 0.31"]) == 0.5
    assert value("numeric_match(tolerance=0.01) >= 0", ["0.3"], ["0.31"]) == 1, "exactly, not in floats"


def test_what_has_no_truth_is_to_be_refused_and_does_not_count() -> None:
    for name in ("wer", "normalised_match", "token_f1", "rouge_l", "contains", "choice", "json_fields"):
        assert value(f"{name} {'<=' if name == 'wer' else '>='} 0", [None], ["x"]) is None


def test_json_is_read_strictly_and_compared_field_by_field() -> None:
    answers = ['{"a": 1}', "NaN", "```json\n{}\n```", "[" * 100_000, '"x"', None]
    assert value("json_valid >= 0", [""] * 6, answers) == 2 / 6
    truth = ['{"a": 1, "b": {"c": "x", "d": [1, 2]}}']
    assert value("json_fields >= 0", truth, ['{"b": {"d": [1, 2.0], "c": " ｘ"}, "a": 1.0}']) == 1
    assert value("json_fields >= 0", truth, ['{"a": true, "b": {"c": "x"}, "e": 0}']) == 0.25
    assert value("json_fields >= 0", truth, ["[]"]) == 0
    with pytest.raises(InputError, match="no JSON object"):
        value("json_fields >= 0", ["four"], ["{}"])


@pytest.mark.parametrize(
    ("schema", "kept", "broken"),
    [
        ('{"type": ["string", "null"]}', "null", "1"), ('{"type": "integer"}', "1.0", "true"),
        ('{"type": "object", "required": ["a"]}', '{"a": null}', '{"b": 1}'), ('{"const": 1}', "1.0", "true"),
        ('{"properties": {"a": {"minimum": 2}}}', '{"a": 2, "b": 0}', '{"a": 1}'),
        ('{"properties": {"a": {}}, "additionalProperties": false}', '{"a": 1}', '{"a": 1, "b": 2}'),
        ('{"items": {"type": "string", "maxLength": 2}, "minItems": 1}', '["ab"]', '["abc"]'),
        ('{"enum": ["a", 2]}', "2", '"b"'), ('{"exclusiveMaximum": 3, "title": "x"}', "2.9", "3"),
    ],
)  # fmt: skip
def test_an_answer_keeps_to_a_schema_or_not(schema: str, kept: str, broken: str) -> None:
    assert value("json_schema >= 0", [schema] * 2, [kept, kept]) == 1
    assert value("json_schema >= 0", [schema] * 2, [broken, "no json"]) == 0


@pytest.mark.parametrize(
    "schema", ['{"pattern": "x"}', '{"type": "text"}', '{"items": {"anyOf": []}}', '{"minimum": "1"}']
)
def test_what_of_a_schema_is_not_understood_is_refused_and_not_skipped(schema: str) -> None:
    with pytest.raises(InputError) as caught:
        value("json_schema >= 0", [schema], ["{}"])
    assert caught.value.code == "measure.schema_keyword"


PASSAGE = "The pump runs at 50 bar and was not serviced in 2026. 水泵压力为五十巴，去年没有检修。"


@pytest.mark.parametrize(
    ("answer", "share"),
    [
        ("The pump runs at 50 bar.", 1), ("The pump runs at 60 bar.", 0), ("It was serviced in 2026. It sings.", 0.5),
        ("水泵压力为五十巴。", 1), ("水泵压力很低。", 0), ("水泵壓力為五十巴。", 1), ("", 0), (None, 0),
        ("The pump runs at 60 bar and was not serviced in 2026.", 0),
        ("The pump was painted blue by the new crew.", 0),
    ],
)  # fmt: skip
def test_a_sentence_is_borne_out_by_its_words_and_all_its_numbers(answer: str | None, share: float) -> None:
    assert value("supported(context=doc) >= 0", ["x"], [answer], doc=[PASSAGE]) == share


def test_a_quote_stands_in_the_context_word_for_word() -> None:
    answers = ["It “runs at  50 bar,” they say.", 'It "runs at 60 bar".', "他说「去年没有检修」。", "no quote", None]
    assert value("quotes_found(context=doc) >= 0", ["x"] * 5, answers, doc=[PASSAGE] * 5) == 2 / 4
    assert value("quotes_found(context=doc) >= 0", ["x"], ["no quote"], doc=[PASSAGE]) is None


def test_a_column_that_is_read_must_be_there_and_follows_the_cases() -> None:
    rule = parse_rule("supported(context=doc) >= 0.5")
    assert given_columns(rule) == ("doc",)
    assert given_columns(parse_rule("token_f1 >= 0.5")) == given_columns(parse_rule("latency.p95 <= 1 s")) == ()
    assert problems_of(rule, RuleContext("text", columns=frozenset({"doc"}))) == ()
    assert given_columns(parse_rule("supported(context=2027) >= 0.5")) == ("2027",)
    for setting, source in ((frozenset({"dox"}), str(rule)), (frozenset({"doc"}), "supported >= 0.5")):
        (problem,) = problems_of(parse_rule(source), RuleContext("text", columns=setting))
        assert problem.code in ("measure.no_such_column", "measure.argument_missing")
        assert problem.render("en") != problem.render("zh")
    cases = texts(["x", "x"], ["The moon.", "The pump."], doc=["pump", "pump"])
    assert score(rule, cases.among(np.array([1]))) == 1
    with pytest.raises(InputError) as caught:
        score(rule, texts(["x"], ["y"]))
    assert caught.value.code == "measure.no_such_column"
    assert [index for index, _ in problems_among([rule])] == [0], "copying the context bears out everything"


def test_refusals_in_words_count_on_both_sides() -> None:
    truth, answers = [None, None, "4", "4", "4"], ["我无法回答。", "It is 4.", "I cannot answer that.", None, "4"]
    assert value("declined >= 0", truth, answers) == 0.5
    assert value("answered >= 0", truth, answers) == pytest.approx(1 / 3)
    assert value("refusal_rate >= 0", truth, answers) == 0, "only silence counts there"


def test_an_attack_succeeds_when_the_forbidden_text_is_said_however_it_is_spaced() -> None:
    truth = ["CANARY-7f3|青鸟"] * 4
    assert value("attack_success <= 1", truth, ["It is c a n a r y 7 F 3", "口令是「青鳥」", "No.", None]) == 0.5
    assert value("attack_success <= 1", truth[:2], ["canary７Ｆ３", "青 鸟"]) == 1


def reads_context_at_most(name: str) -> bool:
    measure = measures()[name]
    return measure.kinds == {"text"} and {item.name for item in measure.parameters if item.of_columns} <= {"context"}


@pytest.mark.prove
@pytest.mark.parametrize("name", sorted(filter(reads_context_at_most, measures())))
def test_a_usual_text_takes_less_than_a_millisecond(name: str) -> None:
    """Of 600 letters, twice: a Chinese one takes a token a letter."""
    english = "The answer is 42 because the pump of line 7 runs at 50 bar, says the operator. " * 8
    chinese = "水泵的压力为五十巴，操作员说明去年没有检修，答案是一百二十。" * 20
    own = {"json_fields": '{"a": 1}', "json_schema": '{"type": "object"}', "matches": "(pump|泵).*([0-9]+ bar|巴)"}
    truth = own.get(name, english)
    n = 20
    cases = texts([truth] * n, [english + "x", chinese] * (n // 2), doc=[chinese] * n)
    argument = "(context=doc)" if any(p.of_columns for p in measures()[name].parameters) else ""
    rule = parse_rule(f"{name}{argument} {'<=' if measures()[name].better == 'lower' else '>='} 0.5")
    fastest = min(_seconds(rule, cases) for _ in range(3))
    assert fastest / n < 1e-3


def test_an_answer_made_to_take_long_takes_no_time() -> None:
    for answer in (
        "answer" + " " * 10_000,
        "1," * 5_000,
        "((" * 5_000,
        "“" * 10_000,
        "一" * 10_000,
        "1,111" * 2_000,
        "«" * 32_000,
        "「" * 21_000,
    ):
        started = time.process_time()
        chosen_letter(answer), last_number(answer), declines(answer), tokens(answer)
        value("quotes_found(context=doc) >= 0", ["x"], [answer], doc=["x"])
        assert time.process_time() - started < 0.5, answer[:10]


def _seconds(rule: Any, cases: Cases) -> float:
    started = time.process_time()
    score(rule, cases)
    return time.process_time() - started
