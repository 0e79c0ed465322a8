"""Drop and lift: exact paired differences, abstentions that buy nothing, and the error promised at the boundary."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbase.documents.contract import DataType, Field
from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.errors import InputError
from pilotbase.evidence import CriterionPlan, Levels, draw_order, verdict_of
from pilotbase.measures import Cases, RuleContext, measures, observe, problems_of, score
from pilotbase.measures.rules import pair_scores

CLASSES = ("fine", "broken")
FEATURES = (Field(name="torque", data_type=DataType.FLOAT), Field(name="note", data_type=DataType.TEXT))
SETTING = RuleContext("label", CLASSES, "broken", frozenset({"site"}), has_baseline=True, features=FEATURES)
DROP = parse_rule("drop(accuracy under noise(0.1)) <= 0.05")
LIFT = parse_rule("lift(accuracy) >= 0")


def cases(truth, clean, perturbed=None, baseline=None, kind="label"):
    given = {} if perturbed is None else {"noise(0.1)": np.array(perturbed)}
    return Cases(
        truth=np.array(truth),
        answers=np.array(clean),
        baseline=None if baseline is None else np.array(baseline),
        classes=CLASSES if kind != "value" else (),
        positive="broken" if kind != "value" else None,
        kind=kind,
        perturbed=given,
    )


def differences(rule, found):
    part = observe(rule, found, np.arange(len(found))).parts[0]
    return part.gain.tolist(), part.weight.tolist()


def test_each_case_counts_one_where_only_the_clean_answer_is_right_and_minus_one_where_only_the_other_is():
    found = cases([1, 1, 0, 0], [1, 0, 0, 1], perturbed=[0, 1, 0, 1])
    assert differences(DROP, found) == ([1, -1, 0, 0], [1, 1, 1, 1])
    assert score(DROP, found) == 0
    assert observe(DROP, found, np.arange(4)).parts[0].outcomes == ((-1, 1), (0, 1), (1, 1))


def test_an_abstention_counts_as_right_in_the_clean_arm_and_as_wrong_in_the_perturbed_one():
    """Breaking oneself in the clean arm lowers no drop, and silence under noise is no answer."""
    broken = cases([1, 1, 1, 1], [-1, -1, 1, 1], perturbed=[1, 0, -1, 1])
    assert differences(DROP, broken)[0] == [0, 1, 1, 0]
    assert pair_scores(DROP, broken) == (1.0, 0.5)


@pytest.mark.parametrize(
    ("measured", "kind", "truth", "answer", "largest"),
    [("brier", "probability", 1, 1.0, 1.0), ("capped_mae(cap=10)", "value", 5.0, 5.0, 10.0),
     ("within(tolerance=1)", "value", 5.0, 5.0, 1.0), ("capped_log_loss(cap=3)", "probability", 0, 0.0, 3.0)],
)  # fmt: skip
def test_silence_is_perfect_before_and_worst_after_for_real_valued_measures_too(measured, kind, truth, answer, largest):
    rule = parse_rule(f"drop({measured} under noise(0.1)) <= 0.1")
    silent_before = cases([truth], [np.nan], [answer], kind=kind)
    assert score(rule, silent_before) == 0
    silent_after = cases([truth], [answer], [np.nan], kind=kind)
    assert score(rule, silent_after) == pytest.approx(largest)


def test_a_lift_harms_our_abstentions_and_spares_the_baselines():
    found = cases([1, 1, 1], [-1, 1, 1], baseline=[1, -1, 0])
    assert differences(LIFT, found)[0] == [-1, 0, 1]
    assert pair_scores(LIFT, found) == (2 / 3, 2 / 3)


def test_only_cases_of_the_class_enter_a_recall():
    rule = parse_rule("drop(recall under noise(0.1)) <= 0.1")
    found = cases([1, 0, 1, 0], [1, 0, 1, 0], perturbed=[0, 1, 1, 1])
    assert differences(rule, found) == ([1, 0, 0, 0], [1, 0, 1, 0])
    assert score(rule, found) == 0.5


@pytest.mark.parametrize(
    ("measured", "kind", "truth", "clean", "perturbed", "worse"),
    [
        ("error_rate", "label", [1, 1], [1, 1], [1, 0], 0.5),
        ("brier", "probability", [1, 0], [1.0, 0.0], [0.5, 0.0], 0.125),
        ("capped_log_loss(cap=3)", "probability", [1, 0], [1.0, 0.0], [0.0, 0.0], 1.5),
        ("capped_mae(cap=10)", "value", [5.0, 5.0], [5.0, 5.0], [7.0, 99.0], 6.0),
        ("within(tolerance=1)", "value", [5.0, 5.0], [5.0, 5.0], [7.0, 5.5], 0.5),
        ("balanced_accuracy", "label", [1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], 0.5),
    ],
)
def test_a_drop_is_how_much_worse_it_gets_whichever_way_is_better(measured, kind, truth, clean, perturbed, worse):
    rule = parse_rule(f"drop({measured} under noise(0.1)) <= 0.1")
    assert score(rule, cases(truth, clean, perturbed, kind=kind)) == pytest.approx(worse, abs=1e-8)
    lift = parse_rule(f"lift({measured}) >= 0")
    assert score(lift, cases(truth, clean, baseline=perturbed, kind=kind)) == pytest.approx(worse, abs=1e-8)
    assert score(lift, cases(truth, perturbed, baseline=clean, kind=kind)) == pytest.approx(-worse, abs=1e-8)


@given(st.lists(st.tuples(*[st.integers(0, 1)] * 3), min_size=1, max_size=60))
def test_without_abstentions_the_paired_mean_is_the_difference_of_the_scores(rows):
    truth, clean, perturbed = zip(*rows, strict=True)
    found = cases(truth, clean, perturbed)
    first, second = pair_scores(DROP, found)
    assert score(DROP, found) == pytest.approx(first - second, abs=1e-12)
    assert first == score(parse_rule("accuracy >= 0"), found)


@pytest.mark.parametrize("measured", ["precision", "f1", "f_beta(beta=2)", "coverage", "abstention", "jaccard"])
@pytest.mark.parametrize("form", ["drop({} under noise(0.1)) <= 0.1", "lift({}) >= 0"])
def test_measures_whose_denominator_depends_on_answers_are_refused_with_a_sentence(measured, form):
    rule = parse_rule(form.format(measured))
    problems = problems_of(rule, SETTING)
    assert [problem.code for problem in problems] == ["measure.not_paired"]
    assert "truth alone" in problems[0].render("en")
    assert "真值" in problems[0].render("zh")
    with pytest.raises(InputError):
        observe(rule, cases([1, 0], [1, 0], [0, 0], [0, 1]), np.arange(2))


@pytest.mark.parametrize("name", ["capped_rmse", "auc", "win_rate"])
def test_measures_that_are_no_plain_mean_are_not_paired(name):
    assert not measures()[name].paired


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("drop(accuracy under noise(0.1)) >= 0.05", "measure.drop_direction"),
        ("lift(accuracy) <= 0.05", "measure.lift_direction"),
        ("drop(accuracy under noise(0.1)) <= -0.01", "measure.threshold_range"),
        ("drop(accuracy under noise(0.1)) <= 1.5", "measure.threshold_range"),
        ("lift(accuracy) >= -1.5", "measure.threshold_range"),
        ("drop(accuracy under noise(0.1, columns=note)) <= 0.05", "measure.perturbation_column"),
        ("drop(accuracy(broken) under noise(0.1)) <= 0.05", "measure.takes_no_class"),
        ("drop(recall(gone) under noise(0.1)) <= 0.05", "measure.unknown_class"),
        ("lift(latency.p95) >= 0 ms", "measure.not_paired"),
        ("drop(memory.peak under noise(1)) <= 1 GiB", "measure.not_paired"),
    ],
)
def test_everything_else_that_is_wrong_is_said_before_the_freeze(rule, code):
    found = [problem.code for problem in problems_of(parse_rule(rule), SETTING)]
    assert code in found
    assert not problems_of(DROP, SETTING)
    assert not problems_of(LIFT, SETTING)


def test_a_lift_without_a_baseline_and_a_drop_without_its_arm_are_refused():
    alone = RuleContext("label", CLASSES, "broken", features=FEATURES)
    assert [problem.code for problem in problems_of(LIFT, alone)] == ["measure.baseline_missing"]
    for rule in (DROP, LIFT):
        with pytest.raises(InputError) as caught:
            score(rule, cases([1], [1]))
        assert caught.value.code == "measure.no_second_answers"


def plan_of(rule, found, estimand):
    parsed = parse_rule(rule)
    seen = observe(parsed, found, np.arange(len(found)), estimand)
    return CriterionPlan(rule, seen, parsed.comparison, Fraction(parsed.threshold), estimand)


def drawn(size, lost, gained, random):
    """Return cases of which so many are right only without noise, and so many only with it; the rest half and half."""
    truth = np.ones(size, dtype=np.int64)
    clean, perturbed = np.ones(size, dtype=np.int64), np.ones(size, dtype=np.int64)
    perturbed[:lost] = 0
    clean[lost : lost + gained] = 0
    both = size - (size - lost - gained) // 2
    clean[both:] = perturbed[both:] = 0
    mixed = random.permutation(size)
    return cases(truth, clean[mixed], perturbed[mixed])


LEVELS = Levels(Fraction(1, 20), Fraction(1, 20))
RULE = "drop(accuracy under noise(0.1)) <= 0.05"


@pytest.mark.prove
def test_a_drop_one_case_over_the_threshold_of_a_hidden_set_is_accepted_no_more_often_than_alpha():
    random, size = np.random.default_rng(1), 1000
    found = drawn(size, lost=71, gained=20, random=random)
    assert score(parse_rule(RULE), found) == pytest.approx(0.051)
    plan = plan_of(RULE, found, "hidden_set")
    verdicts = [verdict_of([plan], draw_order(size, seed.to_bytes(8, "big")), LEVELS)[0] for seed in range(400)]
    assert verdicts.count("accept") <= 400 * 0.05 + 3 * (400 * 0.05 * 0.95) ** 0.5
    kept = drawn(size, lost=70, gained=20, random=random)
    plan = plan_of(RULE, kept, "hidden_set")
    verdicts = [verdict_of([plan], draw_order(size, seed.to_bytes(8, "big")), LEVELS)[0] for seed in range(400)]
    assert verdicts.count("reject") <= 400 * 0.05 + 3 * (400 * 0.05 * 0.95) ** 0.5


@pytest.mark.parametrize("margin", ["0", "-0.02"])
@pytest.mark.prove
def test_a_lift_at_its_margin_in_a_population_is_accepted_no_more_often_than_alpha(margin):
    random, size, accepted, missed = np.random.default_rng(2), 1500, 0, 0
    for _ in range(300):
        for gap, wanted in ((float(margin), "boundary"), (float(margin) + 0.15, "better")):
            draw = random.random(size)
            ours = (draw < 0.3 + gap / 2).astype(np.int64)  # right where only we are, wrong where only they are
            theirs = ((draw >= 0.3 + gap / 2) & (draw < 0.6)).astype(np.int64)
            rest = draw >= 0.6
            found = cases(np.ones(size, dtype=np.int64), ours | rest, baseline=theirs | rest)
            plan = plan_of(f"lift(accuracy) >= {margin}", found, "population")
            verdict = verdict_of([plan], np.arange(size), LEVELS)[0]
            accepted += wanted == "boundary" and verdict == "accept"
            missed += wanted == "better" and verdict != "accept"
    assert accepted <= 300 * 0.05 + 3 * (300 * 0.05 * 0.95) ** 0.5
    assert missed <= 15


def test_pairing_decides_where_two_separate_scores_could_not():
    """Nine of ten cases are answered alike: only the rest tell, and they tell it with few cases."""
    random, size = np.random.default_rng(3), 4000
    found = drawn(size, lost=20, gained=20, random=random)
    order = draw_order(size, b"any")
    verdict, scored = verdict_of([plan_of(RULE, found, "hidden_set")], order, LEVELS)
    apart = observe(parse_rule("accuracy >= 0.45"), found, order)
    alone = CriterionPlan("accuracy >= 0.45", apart, ">=", Fraction(Decimal("0.45")), "hidden_set")
    assert verdict == "accept"
    assert scored < verdict_of([alone], order, LEVELS)[1] / 2


@pytest.mark.prove
def test_a_drop_of_a_real_valued_measure_keeps_its_promise_on_clusters_of_a_population():
    """Machines share their noise: the unit is the machine, and the claim stays one about cases."""
    random, accepted, missed, sims = np.random.default_rng(4), 0, 0, 200
    rule = "drop(capped_mae(cap=10) under noise(0.1)) <= 1"
    for _ in range(sims):
        for worse, wanted in ((1.0, "boundary"), (0.2, "robust")):
            sizes = random.integers(1, 4, 300)
            units = np.repeat(np.arange(300), sizes)
            shared = np.repeat(random.choice([0.0, 2 * worse], 300), sizes)
            size = len(units)
            found = cases(np.zeros(size), np.full(size, 3.0), 3.0 + shared, kind="value")
            parsed = parse_rule(rule)
            seen = observe(parsed, found, np.arange(size), "population")
            plan = CriterionPlan(rule, seen, "<=", Fraction(1), "population", "machine", units)
            verdict = verdict_of([plan], draw_order(size, random.bytes(16), units), LEVELS)[0]
            accepted += wanted == "boundary" and verdict == "accept"
            missed += wanted == "robust" and verdict != "accept"
    assert accepted <= sims * 0.05 + 3 * (sims * 0.05 * 0.95) ** 0.5
    assert missed <= 10
