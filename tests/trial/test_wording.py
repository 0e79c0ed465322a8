"""Criteria in words, before anything was measured and after."""

import pytest

from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.texts import text
from pilotbase.measures import measures, resource_measures, spoken
from pilotbase.trial.page.wording import ReportWording


@pytest.mark.parametrize(
    ("rule", "english", "chinese"),
    [
        ("recall(failure) >= 0.80", "Recall of “failure” at least 0.800", "“failure”的召回率不低于 0.800"),
        ("brier <= 0.2", "Brier score at most 0.200", "Brier 分数不高于 0.200"),
    ],
)
def test_a_rule_is_spoken_before_anything_was_measured(rule, english, chinese):
    assert (ReportWording("en").spoken_rule(rule), ReportWording("zh").spoken_rule(rule)) == (english, chinese)


def test_an_argument_is_spoken_with_its_rule():
    english, chinese = ReportWording("en"), ReportWording("zh")
    assert english.spoken_rule("recall(late, cut=0.2) >= 0.8") == (
        "Recall of “late” (answered from a probability of 0.2) at least 0.800"
    )
    assert english.spoken_rule("f_beta(failure, beta=2) >= 0.8") == "F-beta score of “failure” (β = 2) at least 0.800"
    assert chinese.spoken_rule("ndcg(k=5) >= 0.8125") == "归一化折损累计增益（nDCG）（前 5 项）不低于 0.8125"
    assert english.spoken_rule("cells.agreeing >= 1") == (
        "Share of environments in which it answers as in the trial at least 1"
    )
    assert english.spoken_rule("capped_mae(cap=1000) <= 12.5") == (
        "Capped mean absolute error (errors count up to 1,000) at most 12.5"
    )


GIVEN = {
    name: {
        parameter.name: ("passages", "sources") if parameter.of_columns else values
        for parameter in measure.parameters
        for values in [("2", "3") if parameter.whole else ("0.25", "0.75")]
    }
    for name, measure in measures().items()
}


@pytest.mark.one_in(4)
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", [*measures(), *resource_measures()])
def test_every_heading_speaks_every_parameter_and_no_two_rules_share_one(name, language):
    """By the parameters that each measure declares: a new one has its words, or this fails."""
    wording, headings = ReportWording(language), set()
    given = GIVEN.get(name, {})
    declared = {one.name: one for one in measures()[name].parameters} if name in measures() else {}

    def rule(arguments, threshold="0.5"):
        spelled = ", ".join(f"{parameter}={value}" for parameter, value in arguments.items())
        units = resource_measures()[name].unit if name in resource_measures() else ""
        return f"{name}({spelled}) >= {threshold} {units}" if spelled else f"{name} >= {threshold} {units}"

    first = {parameter: values[0] for parameter, values in given.items()}
    rules = [rule(first), rule(first, "0.25")]
    for parameter, (value, other) in given.items():
        alone = wording.spoken_rule(rule({parameter: value}))
        words = declared[parameter].text or f"measure.argument.{parameter}"
        assert value in alone and text(words, value=value).render(language) in alone
        rules += [rule({parameter: value}), rule(first | {parameter: other})]
    if len(given) == 1:
        rules.remove(rule(first))
    headings = [wording.spoken_rule(one) for one in rules]
    assert len(headings) == len(set(headings)) == len(set(rules))


def test_arguments_are_spoken_in_the_order_of_their_declaration():
    """However a rule spells them: what means the same reads the same."""
    spelled = ("cost(late, miss=5, false_alarm=1, cut=0.2) <= 1", "cost(late, cut=0.2, false_alarm=1, miss=5) <= 1")
    first, other = (ReportWording("en").spoken_rule(rule) for rule in spelled)
    assert first == other
    assert "(a miss costs 5, a false alarm costs 1, answered from a probability of 0.2)" in first


def test_an_argument_is_spoken_in_the_unit_of_the_target_where_its_measure_says_so():
    rules = ("capped_mae(cap=1000) <= 12.5", "mape(cap=2) <= 1", "capped_log_loss(cap=3) <= 1")
    said = [spoken(parse_rule(rule), "MW").render() for rule in rules]
    assert [one.partition("(")[2] for one in said] == [
        "errors count up to 1,000 MW)",
        "errors count up to 2)",
        "losses count up to 3)",
    ]


def test_a_measure_of_a_package_that_is_gone_is_named_as_the_rule_names_it():
    assert ReportWording("zh").spoken_rule("theirs(depth=2) >= 0.5") == "Theirs（depth = 2）不低于 0.500"
