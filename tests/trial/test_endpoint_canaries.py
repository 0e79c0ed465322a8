"""Canary answers are compared by what wavered in the trial: noise is allowed, a change is not."""

import pytest

from pilotbase.documents.endpoint import CanaryAnswers
from pilotbase.documents.hashes import digest_json
from pilotbase.trial.probes import canaries
from pilotbase.trial.probes.canaries import compare_canaries

ONE, OTHER, THIRD = '"fine"', '"broken"', '"melted"'


@pytest.mark.parametrize(
    ("before", "now", "changed", "holds"),
    [
        ([(ONE,), (OTHER,)], [(ONE,), (OTHER,)], 0, True),
        ([(ONE,), (OTHER,)], [(ONE, OTHER), (OTHER,)], 0, True),
        ([(ONE,), (OTHER,)], [(OTHER,), (OTHER,)], 1, False),
        ([(ONE, OTHER), (OTHER,)], [(OTHER,), (ONE,)], 1, True),
        ([(ONE, OTHER), (OTHER,)], [(THIRD,), (ONE,)], 2, False),
        ([("0.25",)], [("0.2500000001",)], 0, True),
        ([("0.25",)], [("0.2501",)], 1, False),
        ([("null",)], [("0.25",)], 1, False),
    ],
)
def test_more_changes_than_questions_that_wavered_are_too_many(monkeypatch, before, now, changed, holds):
    cases = tuple(range(len(before)))
    known = CanaryAnswers(cases=cases, answers=tuple(before), digest=digest_json([list(cases), before]))
    monkeypatch.setattr(canaries, "answers_now", lambda *_: tuple(now))
    compared = compare_canaries(known, None, None, {})
    assert (compared.asked, compared.changed, compared.holds) == (len(before), changed, holds)


def test_answers_that_differ_by_rounding_are_one():
    assert canaries._apart(["0.25", "0.25000000001", "0.3", "0.25"]) == ("0.25", "0.3")
