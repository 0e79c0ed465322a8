"""A run tells from its first batches what it takes; above a limit it is held and goes on where it was."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from pilotbase.cli import app
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.estimate import Ceiling, PriceList, RunEstimate, Span, format_run, format_time, read_ceiling
from pilotbase.documents.limits import Limits
from pilotbase.sandbox.box.supervisor import BoxUsage
from pilotbase.trial import estimating
from pilotbase.trial.estimating import CODE, BoxMeter, RunSize, SpendingLimit, consent_of, estimate_of
from pilotbase.vault.attempts import AttemptState, attempts_of, remaining
from pilotbase.worker.trials.consenting import runner
from pilotbase.worker.trials.log_check import verify_base_log
from pilotbase.worker.trials.proving import freeze_in, prove
from tests.trial.test_proving import hidden_set

SMALL = Limits(wall_seconds=900)
NOTHING_AT_ALL = SpendingLimit(ceiling=Ceiling(seconds=0))
PRICES = PriceList(pool="machine", supplier="institute", prices={"cpu": 10_000})


def _metered(loading: float, batches: list[float]) -> BoxMeter:
    meter, wall = BoxMeter(), loading
    for seconds in [0.0, *batches]:
        wall += seconds
        meter.take(BoxUsage(wall, wall / 2, 1 << 20, wall * (1 << 20)))
    return meter


def test_loading_is_known_for_every_box_and_the_rest_is_predicted():
    extent = RunSize(boxes=3, cases=100, batches_each=100, limits=SMALL)
    found = _metered(10.0, [1.0] * 30).predict(extent, lambda one: one.wall_seconds)
    assert found.low == found.high == pytest.approx(3 * 10 + 297 * 1.0)
    uneven = _metered(10.0, [0.5, 1.5] * 15).predict(extent, lambda one: one.wall_seconds)
    assert uneven.low < 327 < uneven.high


def test_cases_that_are_asked_again_alone_are_part_of_the_estimate():
    extent = RunSize(boxes=1, cases=100, batches_each=10, limits=SMALL, again=(20, 20))
    found = _metered(10.0, [2.0] * 4).predict(extent, lambda one: one.wall_seconds)
    assert (extent.asked, found.low) == (140, pytest.approx(3 * 10 + 9 * 2.0 + 40 * 0.2)), "a case lasts .2 s"
    assert extent.longest == 3 * SMALL.wall_seconds


def test_the_budget_of_a_model_bounds_the_price_and_is_told_beside_it():
    extent = RunSize(boxes=2, cases=100, batches_each=100, limits=SMALL, again=(20,), paid_in="CNY", most_paid=50.0)
    assert extent.costliest == 220 * 50
    span = Span(low=100, expected=120, high=150)
    found = RunEstimate(
        plan="sha256:" + "0" * 64, cases=220, seen=5, confidence=0.9, wall=span, money=span,
        most_money=extent.costliest, ceiling=Ceiling(money=200), made_at=datetime(2026, 12, 1, tzinfo=UTC),
    )  # fmt: skip
    assert format_run(found).endswith("1.20 CNY (1.00 CNY – 1.50 CNY); ≤ 110.00 CNY") and not found.above


def test_another_box_is_another_loading_and_no_batch():
    meter = _metered(10.0, [1.0] * 4)
    meter.begin_box()
    meter.take(BoxUsage(30.0, 1.0, 0))
    assert [one.wall_seconds for one in meter.firsts] == [10.0, 30.0]
    assert len(meter.batches) == 4
    assert meter.used.wall_seconds == pytest.approx(44.0)


def test_steps_tell_a_supplier_between_what_it_lies_and_nothing_finer():
    spans = [Span(low=low, expected=low, high=low * 1.4).coarse() for low in (2.1, 2.7, 3.2, 3.55)]
    assert set(spans) == {Span(low=2, high=5)}
    assert format_time(Span(low=3500, high=7300).coarse_time()) == "30 min – 5 h"
    assert format_time(Span(low=0.2, high=0.9).coarse_time()) == "0 s – 1 s"
    fine = Span(low=11160, expected=11234, high=12960).rounded()
    assert (fine.low, fine.expected, fine.high) == (11000, 11000, 13000)


def test_limits_are_read_as_people_write_them_and_wrong_ones_are_told():
    assert read_ceiling(["30 min", "50 CNY"]) == Ceiling(seconds=1800, money=5000)
    assert read_ceiling(["2 小时，1,250.50 CNY"]) == Ceiling(seconds=7200, money=125_050)
    assert not read_ceiling(["never"]).asks
    for wrong in (["soon"], ["1 h", "2 h"], ["never", "1 h"], ["5 CNY, 6 EUR"], ["1h; never"]):
        with pytest.raises(InputError) as error:
            read_ceiling(wrong)
        assert error.value.code == "estimate.bad_limit"


@pytest.mark.prove
def test_a_held_trial_goes_on_with_consent_and_spends_one_attempt(base, home, write_scenario, write_application):
    scenario, application = write_scenario(), write_application()
    plan = freeze_in(base, scenario, application)
    with pytest.raises(RefusedError) as held:
        prove(base, scenario, application, run=runner(NOTHING_AT_ALL, consented=False))
    assert held.value.code == CODE
    assert held.value.exit_code == 5
    (attempt,) = attempts_of(base.lab.vault, hidden_set(base, scenario))
    assert attempt.state is AttemptState.DELIVERED
    answers = home / "runs" / plan.digest().removeprefix("sha256:") / "attempt-1" / "answers"
    answered = answers.read_bytes()
    assert answered
    left = remaining(base.lab.vault, hidden_set(base, scenario))

    with pytest.raises(RefusedError):
        prove(base, scenario, application, run=runner(NOTHING_AT_ALL, consented=False))
    assert answers.read_bytes() == answered, "held again at once: nothing more was asked"

    report = prove(base, scenario, application, run=runner(NOTHING_AT_ALL, consented=True)).report
    assert report.attempt is not None
    assert (report.attempt.number, report.attempt.answered) == (1, 100)
    assert answers.read_bytes().startswith(answered), "what was committed stands"
    assert remaining(base.lab.vault, hidden_set(base, scenario)).attempts == left.attempts
    given = consent_of(base.lab, plan.digest())
    assert given is not None
    assert given.organisation == "test-base"
    assert verify_base_log(base).code == "worker.log_holds"


@pytest.mark.parametrize("prices", [None, PRICES], ids=["seconds", "money"])
def test_a_run_below_the_limit_is_not_asked_about_and_its_estimate_is_kept(
    base, write_scenario, write_application, prices, monkeypatch
):
    monkeypatch.setattr(
        estimating, "_WORTH_TELLING", 901.0
    )  # no run of this box lasts as long, however slow the machine
    scenario = write_scenario(change=lambda content: content.replace("batch_rows: 20", "batch_rows: 5"))
    application, told = write_application(), []
    asking = SpendingLimit(ceiling=Ceiling(seconds=3600), prices=prices, tells=True)
    plan = freeze_in(base, scenario, application)
    prove(base, scenario, application, on_progress=told.append, run=runner(asking, consented=False))
    found = estimate_of(base.lab, plan.digest())
    assert found is not None
    assert not found.above
    assert found.cases == 100
    assert 0 < found.wall.low <= found.wall.high <= 900, "the limits of the box bound it"
    assert {step.stage.code for step in told if step.stays} == ({"estimate.line"} if prices else set())
    assert consent_of(base.lab, plan.digest()) is None


def test_the_command_says_estimate_limit_and_how_to_consent(
    base, write_scenario, write_application, tmp_path, monkeypatch
):
    monkeypatch.setenv("PILOTBASE_ASK_ABOVE", "0 s")
    words = ["trial", "run", str(write_scenario()), str(write_application()), "--out", str(tmp_path / "out")]
    held = CliRunner().invoke(app, words)
    assert held.exit_code == 5, held.output
    assert "0 s" in held.output
    assert "--yes" in held.output
    assert not (tmp_path / "out" / "report.json").exists()
    assert CliRunner().invoke(app, [*words, "--ask-above", "soon"]).exit_code == 2
    assert CliRunner().invoke(app, [*words, "--prices", "nowhere"]).exit_code != 0
    went_on = CliRunner().invoke(app, [*words, "--yes"])
    assert went_on.exit_code == 0, went_on.output
    assert (tmp_path / "out" / "report.json").exists()
