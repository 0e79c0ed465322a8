"""Criteria in words, before anything was measured and after."""

import pytest

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
