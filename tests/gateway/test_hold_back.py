"""A hold-back through the gateway: drawn by the committed seed, handed to people, outcomes, benefit, refusals."""

import json

import numpy as np
import openai
import pytest

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import digest_bytes
from pilotbase.documents.service import HoldBackTerms, UnitOutcome
from pilotbase.service.calls import HoldBackDraw
from pilotbase.service.hold_back import begin_hold_back, benefit, end_hold_back, report_outcomes, tell_value
from pilotbase.workspace.failures import NotFoundError
from tests.gateway.gateways_for_tests import CASE

TERMS = HoldBackTerms(share=0.5, cap=100)


def asked(live, place, name, call):
    client = openai.OpenAI(base_url=f"{live.url}/v1", api_key=place.key(name), max_retries=0)
    message = [{"role": "user", "content": json.dumps(CASE)}]
    found = client.chat.completions.create(model=name, messages=message, extra_headers={"x-request-id": call})
    return found.choices[0].message.content is None


def test_units_go_the_way_that_the_committed_seed_draws(live, place, name):
    place.serve(name, ask_human=True)
    view = place.base.lab.view
    begun = begin_hold_back(view, name, TERMS)
    assert begun.seed is None
    calls = [f"machine-{number}" for number in range(20)]
    held = [asked(live, place, name, call) for call in calls]
    again = [asked(live, place, name, f"{call}:later") for call in calls[:5]]
    ended = end_hold_back(view, name)
    assert ended.commitment == digest_bytes(bytes.fromhex(ended.seed)) == begun.commitment
    assert held == [HoldBackDraw(ended.seed, 0.5).holds(call) for call in calls] and 0 < sum(held) < 20
    assert again == held[:5], "a unit stays on one side"
    assert not any(asked(live, place, name, call) for call in calls), "it has ended"


@pytest.mark.parametrize("at", ["_keep_seed", "seen_by"])
def test_a_process_that_is_killed_as_one_begins_leaves_nothing_behind(live, place, name, monkeypatch, at):
    place.serve(name, ask_human=True)
    view = place.base.lab.view
    with monkeypatch.context() as broken:
        broken.setattr(f"pilotbase.service.hold_back.{at}", None)  # before the seed is kept, or after
        with pytest.raises(TypeError):
            begin_hold_back(view, name, TERMS)
    assert not any(asked(live, place, name, f"machine-{number}") for number in range(5))
    begun = begin_hold_back(view, name, TERMS)
    assert end_hold_back(view, name).commitment == begun.commitment


def test_a_benefit_is_shown_from_enough_units_on(place, name):
    place.serve(name, ask_human=True)
    view = place.base.lab.view
    assert tell_value(view, name).why.code == "service.value_unknown"
    with pytest.raises(NotFoundError, match="ever held back"):
        report_outcomes(view, name, [UnitOutcome(unit="a", cost=1)])
    begin_hold_back(view, name, TERMS.model_copy(update={"units": 2000}))
    report_outcomes(view, name, [UnitOutcome(unit=f"early-{number}", cost=1) for number in range(10)])
    assert tell_value(view, name).why.code == "service.value_early"
    seed = end_hold_back(view, name).seed
    draw, chance = HoldBackDraw(seed, 0.5), np.random.default_rng(1)
    rows = [(f"unit-{number}", draw.holds(f"unit-{number}")) for number in range(2000)]
    outcomes = [UnitOutcome(unit=unit, cost=chance.gamma(4, 10 if held else 8)) for unit, held in rows]
    told = report_outcomes(view, name, [*outcomes, UnitOutcome(unit="unit-1:again", cost=500)])
    assert told.held + told.answered == 2010 and told.capped >= 1 and told.why is None
    assert 0 < told.benefit.low < told.benefit.mean < told.benefit.high
    assert abs(told.benefit.mean - 8) < 4, "five standard errors: the seed is drawn anew in each run"


def test_where_it_may_not_be_done_it_is_refused(place, name):
    place.serve(name)
    view = place.base.lab.view
    with pytest.raises(RefusedError, match="No person answers"):
        begin_hold_back(view, name, TERMS)
    place.serve(f"{name}-b", ask_human=True)
    begin_hold_back(view, f"{name}-b", TERMS)
    with pytest.raises(RefusedError, match="under way"):
        begin_hold_back(view, f"{name}-b", TERMS)


def test_the_interval_without_skewness_is_the_normal_one():
    held, answered = np.tile([1.0, 3.0], 500), np.tile([0.0, 2.0], 500)
    mean, low, high = benefit(held, answered, 0.05)
    assert mean == 1 and (high - low) / 2 == pytest.approx(1.96 * np.sqrt(2 / 1000), rel=1e-3)
    assert benefit(np.ones(3), np.ones(3)) == (0, 0, 0)
