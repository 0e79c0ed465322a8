import polars as pl
import pytest

from pilotbase.data.rules import compile_rule, evaluate_rule
from pilotbase.documents.errors import InputError


@pytest.fixture
def frame():
    return pl.DataFrame(
        {
            "torque": [10.0, 70.0, 70.0, None],
            "wear": [250, 0, 250, 250],
            "type": ["L", "M", None, "L"],
            "alarm": [True, False, None, True],
            "气温": [1.0, 2.0, 3.0, 4.0],
            "speed [rpm]": [0.0, 2.0, 4.0, 8.0],
        }
    )


@pytest.mark.parametrize(
    ("rule", "hits"),
    [
        ("torque > 60", [0, 1, 1, 0]),
        ("not torque > 60", [1, 0, 0, 0]),
        ("torque > 60 and wear > 200", [0, 0, 1, 0]),
        ("torque > 60 or wear > 200", [1, 1, 1, 1]),
        ('torque > 60 and (wear > 200 or type == "M")', [0, 1, 1, 0]),
        ('torque > 60 and wear > 200 or type == "L"', [1, 0, 1, 1]),
        ("type != 'L'", [0, 1, 0, 0]),
        ("alarm", [1, 0, 0, 1]),
        ("not alarm", [0, 1, 0, 0]),
        ("alarm == false", [0, 1, 0, 0]),
        ("(torque > 60) == alarm", [0, 0, 0, 0]),
        ("torque + wear * 2 >= 510", [1, 0, 1, 0]),
        ("(torque + wear) * 2 >= 600", [0, 0, 1, 0]),
        ("wear - torque - 1 > 200", [1, 0, 0, 0]),
        ("-torque < -1.5e1", [0, 1, 1, 0]),
        ("torque / wear > 0.1", [0, 0, 1, 0]),
        ("气温 >= .3e1", [0, 0, 1, 1]),
        ("`speed [rpm]` * 2 == 8", [0, 0, 1, 0]),
        ("1 < 2", [1, 1, 1, 1]),
        ("not not torque > 60", [0, 1, 1, 0]),
    ],
)
def test_rules_decide_as_written(rule, hits, frame):
    assert evaluate_rule(rule, frame).tolist() == [bool(hit) for hit in hits]


def test_a_division_by_zero_is_no_hit():
    frame = pl.DataFrame({"a": [1.0, 1.0], "b": [0.0, 1.0]})
    assert evaluate_rule("a / b > 0", frame).tolist() == [False, True]
    assert evaluate_rule("not a / b < 0", frame).tolist() == [False, True]


def test_not_a_number_is_missing():
    frame = pl.DataFrame({"a": [float("nan"), 2.0]})
    assert evaluate_rule("a > 1", frame).tolist() == [False, True]
    assert evaluate_rule("not a < 1", frame).tolist() == [False, True]


@pytest.mark.parametrize(
    ("rule", "position", "found"),
    [
        ("torque >", 9, "the end"),
        ("", 1, "the end"),
        ("torque > 60 wear > 2", 13, "wear"),
        ("torque > (60", 13, "the end"),
        ("torque ; 60", 8, ";"),
        ("torque = 60", 8, "="),
        ("and torque > 1", 1, "and"),
        ("torque", 1, "torque"),
        ("torque > 60 and wear", 17, "wear"),
        ("type > 'L'", 6, ">"),
        ("type == 3", 9, "3"),
        ("torque + type > 3", 10, "type"),
        ("1 < torque < 3", 12, "<"),
        ("not torque", 5, "torque"),
        ("type == 'L", 9, "'"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_place(rule, position, found, frame):
    with pytest.raises(InputError) as caught:
        evaluate_rule(rule, frame)
    error = caught.value
    assert error.code == "data.rule.unexpected"
    assert f"at character {position}: found {found}, expected" in error.render()
    assert f"第 {position} 个字符" in error.render("zh")


def test_unknown_columns_are_named_with_those_that_are_allowed(frame):
    with pytest.raises(InputError) as caught:
        evaluate_rule("torque > 1 and wera > 2", frame)
    assert caught.value.code == "data.rule.unknown_column"
    assert "wera at character 16" in caught.value.render()
    assert "torque, wear, type" in caught.value.render()
    with pytest.raises(InputError) as caught:
        evaluate_rule("torque > 1", frame, withheld=frozenset({"torque"}))
    assert caught.value.code == "data.rule.unknown_column"


@pytest.mark.parametrize(
    "rule",
    [
        "__import__('os').system('true')",
        "torque.__class__",
        "[x for x in y]",
        "lambda: 1",
        "torque > 1; wear",
        "torque ** 9 > 1",
    ],
)
def test_nothing_but_the_little_language_is_understood(rule, frame):
    with pytest.raises(InputError):
        evaluate_rule(rule, frame)


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("(" * 500 + "torque > 1" + ")" * 500, "data.rule.too_deep"),
        ("not " * 200 + "alarm", "data.rule.too_deep"),
        ("-" * 500 + "torque > 1", "data.rule.too_deep"),
        ("torque > 1 or " * 400 + "alarm", "data.rule.too_long"),
    ],
)
def test_rules_are_bounded(rule, code, frame):
    with pytest.raises(InputError) as caught:
        evaluate_rule(rule, frame)
    assert caught.value.code == code


def test_the_longest_rule_still_runs(frame):
    rule = "+".join(["wear"] * 390) + " >= 390"
    assert evaluate_rule(rule, frame).tolist() == [True, False, True, True]
    rule = " or ".join(["alarm"] * 220)
    assert evaluate_rule(rule, frame).tolist() == [True, False, False, True]


def test_a_rule_tells_which_columns_it_reads(frame):
    assert compile_rule("torque > 1 and alarm", frame.schema).columns == {"torque", "alarm"}
