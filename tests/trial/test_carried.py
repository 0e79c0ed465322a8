"""A later version is compared with a certified one on fresh cases; its certificate says what both show together."""

import numpy as np
import pytest

from pilotbase.certificate.revoking import revoke
from pilotbase.certificate.status import CertificateStatus, revocations_of, standing_of
from pilotbase.certificate.verification import verify_certificate
from pilotbase.documents.errors import InputError, InvalidProofError, PilotbaseError, RefusedError
from pilotbase.documents.scenario import Criterion
from pilotbase.documents.vocabularies import Estimand, Outcome, Verdict
from pilotbase.evidence import attempt_levels, exact, outcome_of
from pilotbase.measures import Cases
from pilotbase.trial.carried import compared
from pilotbase.trial.scorer_process import run_trial
from pilotbase.trial.scoring import plan_criterion
from pilotbase.vault.attempts import attempts_of, remaining
from pilotbase.vault.sealing import HiddenSet
from pilotbase.worker.trials.proving import frozen_in, prove, prove_plan
from pilotbase.worker.trials.replaying import replay_trial
from tests.trial.conftest import GOOD, writing_application

CRITERIA = "accuracy >= 0.7, estimand: population, margin: 0.15"
WORSE = "def predict(batch):\n    return ['broken' if p > 8.5 else 'fine' for p in batch['pressure']]\n"


def with_margin(content: str) -> str:
    return content.replace("accuracy >= 0.7", CRITERIA).replace(
        "attempts: 6", "attempts: 6\n  suppliers: [globex, acme]"
    )


@pytest.fixture
def versions(base, write_scenario, write_application, tmp_path):
    """Return a certified first version, and a function that brings the next one: (program, serial) → its trial."""
    scenario = write_scenario(rows=900, cases=80, change=with_margin, noise=0.05)
    first = prove(base, scenario, write_application(), tmp_path / "v1")
    count = iter(range(2, 9))

    def bring(program: str = "", serial: str = "", name: str = "alarm", supplier: str = "acme"):
        number = next(count)
        (tmp_path / f"v{number}").mkdir(exist_ok=True)
        write = writing_application(tmp_path / f"v{number}")
        folder = write(program or f"{GOOD}# {number}\n", name=name, supplier=supplier)
        if not program:
            manifest = (folder / "application.yaml").read_text()
            (folder / "application.yaml").write_text(manifest.replace("1.0.0", f"{number}.0.0"))
        out = tmp_path / f"out-{number}"
        serial = serial or first.certificate.serial.removeprefix("sha256:")
        plan, place = frozen_in(base, (scenario, folder), out, lambda _: None, serial)
        return prove_plan(base, plan, place, lambda _: None, run_trial)

    return first, bring


def serial_of(proven) -> str:
    return proven.certificate.serial.removeprefix("sha256:")


@pytest.mark.prove
def test_a_version_that_is_no_worse_is_certified_by_its_own_evidence_and_with_the_margin(base, versions):
    first, bring = versions
    second = bring()
    assert second.report.verdict is Verdict.ACCEPT
    lift, alone, memory = second.report.criteria[1:4]
    assert (alone.rule, alone.outcome) == ("accuracy >= 0.55", Outcome.PASS), "met by the later version itself"
    assert (lift.rule, lift.outcome) == ("lift(accuracy) >= -0.15", Outcome.PASS)
    assert second.report.criteria[0].rule == "recall(broken) >= 0.7", "without a margin it is met by itself"
    assert memory.rule == "memory.peak <= 512 MiB"
    assert lift.paired.baseline == lift.paired.ours
    carries = second.certificate.carries
    assert carries.certificates == (first.certificate.serial,)
    assert carries.criteria == ("accuracy >= 0.55",)
    first_alpha, second_alpha = first.report.attempt.alpha, second.report.attempt.alpha
    assert (first_alpha, second_alpha) == pytest.approx((0.025 / 2, 0.025 / 6)), "half of it, for its own attempts"
    claim = second.certificate.claim.render()
    assert "accuracy >= 0.55" in claim
    assert "compare it with version 1.0.0" in claim
    assert second.certificate.expires_at <= first.certificate.expires_at
    hidden = base.lab.view.load(second.certificate.scenario.hidden_set, HiddenSet)
    assert [one.number for one in attempts_of(base.lab.vault, hidden)] == [1, 4]
    assert remaining(base.lab.vault, hidden).fresh == hidden.rows - 160, "both versions answered the same fresh cases"
    assert replay_trial(second.folder).digest == second.report.decision
    roots = base.trust.roots()
    verify_certificate(second.envelope.to_bytes(), roots, at=base.lab.store.clock())

    third = bring(serial=serial_of(second))
    assert third.certificate.carries.criteria == ("accuracy >= 0.4",), "margins add up"
    with pytest.raises(PilotbaseError) as refused:
        bring(serial=serial_of(third))
    assert refused.value.code == "trial.carries_too_long"

    at = base.lab.store.clock()
    revoke(base.trust, base.lab.view, base.revocations, first.certificate.serial, "found wrong", at)
    listed = revocations_of(base.lab.view)
    assert standing_of(third.certificate, listed, at).status is CertificateStatus.REVOKED
    with pytest.raises(InvalidProofError):
        verify_certificate(second.envelope.to_bytes(), roots, base.revocations.read_bytes(), at=at)
    with pytest.raises(PilotbaseError) as refused:
        bring()
    assert refused.value.code == "trial.carries_no_standing"


@pytest.mark.prove
def test_a_worse_version_is_not_certified_and_nothing_else_is_carried(
    base, versions, write_scenario, write_application, tmp_path
):
    _, bring = versions
    worse = bring(WORSE)
    assert worse.report.verdict is not Verdict.ACCEPT
    assert worse.report.criteria[1].paired.ours < worse.report.criteria[1].paired.baseline
    with pytest.raises(PilotbaseError) as refused:
        bring(serial=serial_of(worse))
    assert refused.value.code == "trial.carries_no_standing"
    for given in ({"supplier": "globex"}, {"name": "other"}, {"program": GOOD}):
        with pytest.raises(PilotbaseError) as refused:
            bring(**given)
        assert refused.value.code == "trial.carries_other_application"
    with pytest.raises(InputError) as refused:
        prove(base, write_scenario(rows=900, cases=80, name="unsplit"), write_application(name="v9"))
    assert "acme, globex" in refused.value.issues[0].problem.render()
    with pytest.raises(RefusedError) as refused:
        prove(base, tmp_path / "scenario", write_application(name="third", supplier="initech"))
    assert refused.value.code == "vault.not_admitted"


def test_an_earlier_version_that_got_worse_does_not_lower_the_bar_for_a_later_one():
    """Certified at .50, and as good since as a later version that just misses .48: its own score rarely shows it."""
    criteria = compared(Criterion(rule="accuracy >= 0.5", estimand=Estimand.POPULATION, margin=0.02))
    rng, levels, order, accepted = np.random.default_rng(7), attempt_levels(exact(0.05), 1), np.arange(1100), 0
    for _ in range(300):
        luck = rng.random(1100)
        cases = Cases(
            truth=np.ones(1100, dtype=np.int64),
            answers=(luck < 0.4799).astype(np.int64),
            baseline=((luck >= 0.005) & (luck < 0.4849)).astype(np.int64),
            classes=("fine", "broken"),
            positive="broken",
        )
        plans = [plan_criterion(one, cases, order) for one in criteria]
        accepted += outcome_of(plans, order, levels).verdict == "accept"
    assert accepted <= 15, "of 300 at level .025: three standard errors"
    assert compared(Criterion(rule="accuracy >= 0.5", margin=0.02), 2)[1].rule == "accuracy >= 0.46"
