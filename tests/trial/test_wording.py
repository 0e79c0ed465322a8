"""Criteria in words, before anything was measured and after."""

import pytest

from pilotbase.documents.texts import text
from pilotbase.measures import measures, resource_measures
from pilotbase.trial.page.wording import Wording


@pytest.mark.parametrize(
    ("rule", "english", "chinese"),
    [
        ("recall(failure) >= 0.80", "Recall of “failure” at least 0.800", "“failure”的召回率不低于 0.800"),
        ("brier <= 0.2", "Brier score at most 0.200", "Brier 分数不高于 0.200"),
    ],
)
def test_a_rule_is_spoken_before_anything_was_measured(rule, english, chinese):
    assert (Wording("en").spoken_rule(rule), Wording("zh").spoken_rule(rule)) == (english, chinese)


def test_an_argument_is_spoken_with_its_rule():
    english, chinese = Wording("en"), Wording("zh")
    assert english.spoken_rule("recall(late, cut=0.2) >= 0.8") == (
        "Recall of “late” (answered from a probability of 0.2) at least 0.800"
    )
    assert english.spoken_rule("f_beta(failure, beta=2) >= 0.8") == "F-beta score of “failure” (beta 2) at least 0.800"
    assert chinese.spoken_rule("ndcg(k=5) >= 0.8125") == "归一化折损累计增益（nDCG）（k = 5）不低于 0.8125"
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


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", [*measures(), *resource_measures()])
def test_every_heading_speaks_every_parameter_and_no_two_rules_share_one(name, language):
    """By the parameters that each measure declares: a new one has its words, or this fails."""
    wording, headings = Wording(language), set()
    given = GIVEN.get(name, {})

    def rule(arguments, threshold="0.5"):
        spelled = ", ".join(f"{parameter}={value}" for parameter, value in arguments.items())
        units = resource_measures()[name].unit if name in resource_measures() else ""
        return f"{name}({spelled}) >= {threshold} {units}" if spelled else f"{name} >= {threshold} {units}"

    first = {parameter: values[0] for parameter, values in given.items()}
    rules = [rule(first), rule(first, "0.25")]
    for parameter, (value, other) in given.items():
        alone = wording.spoken_rule(rule({parameter: value}))
        assert value in alone and f"{parameter} =" not in alone.replace("k = ", "")
        assert text(f"measure.argument.{parameter}", value=value).render(language) in alone
        rules += [rule({parameter: value}), rule(first | {parameter: other})]
    if len(given) == 1:
        rules.remove(rule(first))
    headings = [wording.spoken_rule(one) for one in rules]
    assert len(headings) == len(set(headings)) == len(set(rules))
