"""What 1,000 cases of a box cost: processor seconds at the price of the scenario, judged and replayed like the rest."""

from decimal import Decimal
from types import SimpleNamespace

import pytest

from pilotbase.documents.endpoint import HourPrice
from pilotbase.documents.vocabularies import Outcome, Verdict
from pilotbase.trial.performance import Load
from pilotbase.trial.probes.cost import PROBE
from pilotbase.trial.running import BoxRun
from pilotbase.worker.trials.proving import prove
from pilotbase.worker.trials.replaying import replay_trial

PRICE = HourPrice(amount=Decimal("0.36"), currency="CNY")


def run(cpu_seconds=2.0, cases=500, use=None):
    end, isolation = SimpleNamespace(), SimpleNamespace()
    load = Load(batch_seconds=(), cases=cases, batch_rows=10, load_seconds=0, cpu_seconds=cpu_seconds)
    return BoxRun(end, isolation, load, "", use)


def spent(of, price):
    return PROBE.look(SimpleNamespace(asked=SimpleNamespace(processor_hour=price)), of)


def test_a_thousand_cases_cost_their_processor_seconds():
    found = spent(run(), PRICE)
    assert (found.cost_per_thousand, found.currency, found.tokens) == (Decimal("0.0004"), "CNY", None)


@pytest.mark.parametrize("changed", [{"cpu_seconds": None}, {"cases": 0}, {"use": SimpleNamespace()}])
def test_what_was_not_measured_or_is_paid_for_by_calls_costs_nothing_here(changed):
    assert spent(run(**changed), PRICE) is None
    assert spent(run(), None) is None


@pytest.mark.one_in(2)
@pytest.mark.parametrize(("most", "verdict"), [("1000 CNY", Verdict.ACCEPT), ("0.000000001 CNY", Verdict.REJECT)])
def test_a_criterion_on_cost_is_judged_at_the_scenarios_price_and_replayed(
    most, verdict, base, write_scenario, write_application, tmp_path
):
    def priced(content):
        asked = f"criteria:\n  - {{rule: cost.cny <= {most}}}\n"
        price = "trial:\n  processor_hour: {amount: 0.36, currency: CNY}\n"
        return content.replace("criteria:\n", asked).replace("trial:\n", price)

    report = prove(base, write_scenario(change=priced), write_application(), tmp_path / "out").report
    (criterion,) = [one for one in report.criteria if one.rule.startswith("cost")]
    assert report.verdict is verdict and criterion.estimate > 0
    production = {finding.check: finding for finding in report.sections[4].findings}
    assert production["cost"].outcome is Outcome.PASS and "CNY" in production["cost"].sentence.render("zh")
    assert replay_trial(tmp_path / "out").verdict == verdict


def test_without_a_price_cost_is_not_measured_and_no_pass(base, write_scenario, write_application):
    scenario = write_scenario(
        change=lambda content: content.replace("criteria:\n", "criteria:\n  - {rule: cost.cny <= 1 CNY}\n")
    )
    report = prove(base, scenario, write_application()).report
    assert report.criteria[0].outcome is Outcome.NOT_MEASURED and report.verdict is Verdict.INCONCLUSIVE
