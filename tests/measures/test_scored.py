"""A user's own measure: found by its entry point, checked at every use."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from importlib import metadata
from typing import Any

import numpy as np
import pytest

from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.errors import InputError
from pilotbase.measures import Cases, MeanScore, RuleContext, measures, observe, problems_of, registry, score


def own(returned: Any, high: str = "2", low: str = "0") -> MeanScore:
    limits = Decimal(low), Decimal(high)
    return MeanScore("kindness", lambda truth, answers: returned, *limits, "higher", frozenset({"value"}), "mean", "us")


KIND = MeanScore(
    "kindness", lambda truth, answers: np.minimum(np.abs(answers), 2), Decimal(0), Decimal(2), "higher",
    frozenset({"value"}), "mean min(|answer|, 2)", "our own",
)  # fmt: skip


class Entry:
    """An installed package's entry point."""

    def __init__(self, loaded: object) -> None:
        self.name, self.loaded = "kindness", loaded

    def load(self) -> object:
        return self.loaded


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def install(loaded: object) -> None:
        found = {registry.ENTRY_POINTS: [Entry(loaded)]}
        monkeypatch.setattr(metadata, "entry_points", lambda group: found.get(group, []))
        measures.cache_clear()

    yield install
    monkeypatch.undo()
    measures.cache_clear()


def test_an_added_measure_works_like_ours(installed: Any) -> None:
    installed(KIND)
    cases = Cases(np.zeros(3), np.array([1.0, -0.5, np.nan]), kind="value")
    rule = parse_rule("kindness >= 0.4")
    assert problems_of(rule, RuleContext("value")) == ()
    assert score(rule, cases) == pytest.approx(0.5)
    assert problems_of(parse_rule("kindness >= 3"), RuleContext("value"))[0].code == "measure.threshold_range"
    assert measures()["kindness"].title.render("zh") == "kindness"


def test_an_entry_point_must_be_a_case_score(installed: Any) -> None:
    installed("something else")
    with pytest.raises(InputError, match="CaseScore"):
        measures()


@pytest.mark.parametrize(
    ("score_", "code"),
    [
        (own(np.array([0.5, 2.5])), "measure.score_range"),
        (own(np.array([0.5, -0.5])), "measure.score_range"),
        (own(np.array([0.5])), "measure.score_shape"),
    ],
)
def test_scores_beyond_the_bounds_are_refused(installed: Any, score_: MeanScore, code: str) -> None:
    installed(score_)
    with pytest.raises(InputError) as refused:
        score(parse_rule("kindness >= 0.4"), Cases(np.zeros(2), np.ones(2), kind="value"))
    assert refused.value.code == code
    assert refused.value.render("zh")


def test_bounds_must_be_a_range() -> None:
    with pytest.raises(InputError, match="not a valid range"):
        own(np.ones(2), high="1", low="1").measure()


@pytest.mark.parametrize("low", ["0.5", "-3"])
def test_any_range_will_do_and_the_bets_know_it(installed: Any, low: str) -> None:
    installed(own(np.array([1.0, np.nan]), low=low))
    cases = Cases(np.zeros(2), np.ones(2), kind="value")
    part = observe(parse_rule("kindness >= 0.6"), cases, np.arange(2)).parts[0]
    assert part.value() == pytest.approx((1 + float(low)) / 2)
    assert [gain / weight for gain, weight in part.outcomes[::2]] == [float(low), 2]
