"""Few labels by command: a judge scores every case, few are labelled, and error levels hold whatever it is worth."""

import random

import pytest

from pilotbase.documents.errors import InputError
from tests.trial.test_deciding import decisions, run, write  # noqa: F401 - fixtures

PLAN = """
criteria: [accuracy >= 0.9]
prediction: {kind: label, classes: [broken, fine], positive: broken}
labels: score
"""
HEADER = "case,truth,prediction,score"


def judged(cases: int, wrong: int, flip: float, labelled: int | None = None) -> list[str]:
    """Return rows of which ``wrong`` are answered wrongly; the judge errs on a share ``flip``; few keep their label."""
    draw = random.Random(5)
    right = [i >= wrong for i in range(cases)]
    draw.shuffle(right)
    kept = set(draw.sample(range(cases), labelled if labelled is not None else cases))
    score = [flag != (draw.random() < flip) for flag in right]
    return [
        f"c{i},{'fine' if i in kept else ''},{'fine' if right[i] else 'broken'},{int(score[i])}" for i in range(cases)
    ]


def median(found) -> int:
    return sorted(item.scored for item in found.decisions)[len(found.decisions) // 2]


@pytest.mark.prove
def test_a_good_judge_saves_labels_and_a_coin_proves_nothing_false(write):  # noqa: F811
    good = decisions(*write(PLAN, judged(3000, 180, 0.02), HEADER), repeat=60)
    plain = decisions(*write(PLAN, judged(3000, 180, 0.02), HEADER), labels="all", repeat=60)
    assert good.counts["accept"] == plain.counts["accept"] == 60
    assert median(good) < median(plain) / 2
    for flip in (0.02, 0.5):
        below = decisions(*write(PLAN, judged(400, 41, flip), HEADER), alpha=0.2, repeat=300)
        assert below.counts["accept"] <= 30 + 3 * 5.2, "level 0.1 at one right answer too few"


def test_one_decision_says_how_many_labels_it_took_and_bounds_them(write):  # noqa: F811
    files = write(PLAN, judged(2000, 60, 0.02, labelled=600), HEADER)
    found = decisions(*files)
    (decision,) = found.decisions
    (criterion,) = decision.criteria
    assert found.labels == "score"
    assert decision.verdict.value == "accept"
    assert decision.scored == criterion.decided_at < 600
    assert 0.9 <= criterion.lower < 0.97 < criterion.upper
    assert criterion.claim.code == "trial.claim.pool"
    few = decisions(*write(PLAN, judged(2000, 180, 0.02, labelled=40), HEADER)).decisions[0]
    assert few.verdict.value == "inconclusive"
    assert few.criteria[0].cases_needed > 40
    lower = PLAN.replace("accuracy >= 0.9", "error_rate <= 0.1")
    turned = decisions(*write(lower, judged(2000, 60, 0.02, labelled=600), HEADER)).decisions[0]
    assert turned.scored == decision.scored
    assert turned.criteria[0].upper == pytest.approx(1 - criterion.lower)


def test_a_claim_about_the_population_compares_each_label_with_a_group_of_its_own(write):  # noqa: F811
    plan = PLAN.replace("accuracy >= 0.9", "{rule: accuracy >= 0.9, estimand: population}")
    decision = decisions(*write(plan, judged(6000, 180, 0.02), HEADER)).decisions[0]
    (criterion,) = decision.criteria
    assert (decision.verdict.value, criterion.claim.code) == ("accept", "trial.claim.judged_population")
    assert decision.scored == criterion.decided_at <= 600
    assert 0.9 <= criterion.lower < 0.97 < criterion.upper
    lower = plan.replace("accuracy >= 0.9", "error_rate <= 0.1")
    turned = decisions(*write(lower, judged(6000, 180, 0.02), HEADER)).decisions[0]
    assert (turned.scored, turned.criteria[0].upper) == (decision.scored, pytest.approx(1 - criterion.lower))
    few = decisions(*write(plan, judged(6000, 600, 0.02), HEADER), repeat=100)
    assert few.counts["accept"] <= 8, "level 0.025 on its boundary"
    part = decisions(*write(plan, judged(6000, 180, 0.02, labelled=300), HEADER)).decisions[0]
    assert part.scored <= 300


@pytest.mark.parametrize(
    ("rule", "said"),
    [("recall(broken) >= 0.9", "every case"), ("{rule: recall(broken) >= 0.9, estimand: population}", "every case")],
)
def test_what_few_labels_cannot_decide_is_refused(write, rule, said):  # noqa: F811
    with pytest.raises(InputError) as caught:
        decisions(*write(PLAN.replace("accuracy >= 0.9", rule), judged(100, 3, 0.0, labelled=50), HEADER))
    assert said in caught.value.render("en")


def test_every_case_needs_its_score_and_without_scores_its_label(write):  # noqa: F811
    rows = judged(30, 3, 0.0, labelled=10)
    with pytest.raises(InputError) as caught:
        decisions(*write(PLAN, [row.rpartition(",")[0] + "," for row in rows[:3]] + rows[3:], HEADER))
    assert [issue.path for issue in caught.value.issues] == ["score"] * 3
    with pytest.raises(InputError) as caught:
        decisions(*write(PLAN, [row.rpartition(",")[0] for row in rows], "case,truth,prediction"))
    assert "score" in caught.value.render("en")
    assert run("trial", "decide", *write(PLAN, rows, HEADER), "--labels", "all").exit_code == 2
