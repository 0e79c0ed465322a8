"""The loss of a criterion: the trial's own linearisation, case by case; labels that never came; what has no promise."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from pilotbase.documents.answer_texts import right_answer
from pilotbase.documents.texts import Text
from pilotbase.documents.transcript import TranscriptWriter
from pilotbase.documents.watch import WatchTerms
from pilotbase.evidence.criterion import SingleTest
from pilotbase.evidence.lattice import stream_of
from pilotbase.measures import Cases, RuleContext, observe, score
from pilotbase.watch.losses import (
    Losses,
    WatchedLoss,
    latency_losses,
    losses_where,
    promised_loss,
    watched_risks,
)
from pilotbase.watch.packs import Pack
from pilotbase.watch.scoring import cases_from, cases_of_answers, readable_labels

LABELS = RuleContext("label", ("ok", "failure"), "failure", frozenset({"site"}), has_baseline=True)
CHANCES = RuleContext("probability", ("ok", "failure"), "failure", frozenset({"site"}))
TEXTS = RuleContext("text")
TAGS = RuleContext("labels", ("leak", "noise", "rust"))
NUMBERS = RuleContext("value", columns=frozenset({"site"}))
SHARES = RuleContext("probabilities", ("leak", "noise", "rust"))


def spelled_cases(setting: RuleContext, seed: int, n: int, quality: float) -> Cases:
    """Cases of other kinds: what is answered is the truth or, as often as quality is lacking, another one."""
    rng = np.random.default_rng(seed)

    def one() -> str:
        picked = rng.integers(0, 9, int(rng.integers(1, 4))).tolist()
        if setting.kind == "text":
            return "".join("abcdefghi"[place] for place in picked)
        if setting.kind == "boxes":
            return json.dumps([["bolt", 5 * place, 0, 4, 4] for place in set(picked)])
        if setting.kind == "mask":
            return json.dumps({"size": [1, 9], "runs": [0, picked[0], 1, 9 - picked[0]]})
        names = setting.classes if setting.kind == "labels" else tuple(f"d{place}" for place in range(9))
        return json.dumps(sorted({names[place % len(names)] for place in picked}))

    truths: list[Any] = [one() for _ in range(n)]
    answers: list[Any] = [truth if rng.random() < quality else one() for truth in truths]
    if setting.kind == "interval":
        truths = (10 * rng.random(n)).tolist()
        starts = rng.random(n) * (1.0 if quality > 0.9 else 2.0)
        answers = [f"{truth - start}|{truth - start + 1}" for truth, start in zip(truths, starts, strict=True)]
    elif setting.kind == "probabilities":
        truths = [setting.classes[place] for place in rng.integers(0, 3, n)]
        said = [truth if rng.random() < quality else str(rng.choice(setting.classes)) for truth in truths]
        answers = [json.dumps([0.8 if name == one else 0.1 for name in setting.classes]) for one in said]
    elif setting.kind == "boxes":
        answers = [right_answer(answer, "boxes") for answer in answers]
    answers = [None if rng.random() < 0.05 else answer for answer in answers]
    return cases_from(truths, answers, setting, {"site": rng.choice(["north", "south"], n).tolist()})


def cases_of(setting: RuleContext, seed: int = 0, n: int = 400, quality: float = 0.8) -> Cases:
    if setting.kind not in ("label", "probability", "value"):
        return spelled_cases(setting, seed, n, quality)
    rng = np.random.default_rng(seed)
    truth: Any = (rng.random(n) < 0.4).astype(np.int64)
    if setting.kind == "label":
        answers: Any = np.where(rng.random(n) < quality, truth, 1 - truth)
        answers[rng.random(n) < 0.05] = -1
    elif setting.kind == "probability":
        answers = np.clip(0.2 + 0.6 * truth + 0.3 * rng.standard_normal(n), 0, 1)
        answers[rng.random(n) < 0.05] = np.nan
    else:
        truth = 10 * rng.random(n)
        answers = truth + rng.standard_normal(n)
        answers[rng.random(n) < 0.05] = np.nan
    groups = {"site": rng.choice(["north", "south"], n)}
    return Cases(truth, answers, groups, classes=setting.classes, positive=setting.positive, kind=setting.kind)


def watched(rule: str, setting: RuleContext, tolerance: float = 0.02) -> WatchedLoss:
    loss = promised_loss(rule, setting, tolerance)
    assert isinstance(loss, WatchedLoss), loss
    return loss


RULES = [
    ("accuracy >= 0.85", LABELS),
    ("error_rate <= 0.15", LABELS),
    ("recall(failure) >= 0.80", LABELS),
    ("specificity >= 0.75", LABELS),
    ("precision >= 0.7", LABELS),
    ("f1 >= 0.75", LABELS),
    ("f_beta(failure, beta=2) >= 0.77", LABELS),
    ("jaccard >= 0.6", LABELS),
    ("cost(miss=10, false_alarm=1) <= 1.2", LABELS),
    ("coverage >= 0.9", LABELS),
    ("recall(failure, cut=0.4) >= 0.80", CHANCES),
    ("brier <= 0.15", CHANCES),
    ("capped_log_loss(cap=5) <= 0.6", CHANCES),
    ("smoothed_log_loss <= 0.6", SHARES),
    ("capped_mae(cap=5) <= 1.1", NUMBERS),
    ("capped_rmse(cap=5) <= 1.5", NUMBERS),
    ("within(tolerance=1) >= 0.6", NUMBERS),
    ("mape(cap=2) <= 0.4", NUMBERS),
    ("smape <= 0.35", NUMBERS),
    ("exact_match >= 0.8", TEXTS),
    ("edit_similarity >= 0.8", TEXTS),
    ("cer <= 0.2", TEXTS),
    ("subset_accuracy >= 0.8", TAGS),
    ("hamming_loss <= 0.2", TAGS),
    ("label_f1 >= 0.8", TAGS),
    ("top_k(k=2) >= 0.8", RuleContext("ranking")),
    ("interval_coverage >= 0.6", RuleContext("interval")),
    ("box_recall(iou=0.5) >= 0.8", RuleContext("boxes", ("bolt",))),
    ("box_precision(iou=0.5) >= 0.8", RuleContext("boxes", ("bolt",))),
    ("pixel_accuracy >= 0.8", RuleContext("mask", ("0", "1"))),
]
each_rule = pytest.mark.parametrize(("rule", "setting"), RULES, ids=[rule for rule, _ in RULES])


@pytest.mark.one_in(4)
@each_rule
@pytest.mark.parametrize("quality", [0.6, 0.8, 0.95])
def test_the_mean_loss_is_at_most_r0_exactly_when_the_trial_says_that_the_criterion_holds(
    rule: str, setting: RuleContext, quality: float
) -> None:
    loss, cases = watched(rule, setting), cases_of(setting, quality=quality)
    order = np.arange(len(cases))
    (part,) = observe(loss.rule, cases, order).parts
    stream = stream_of(part, order, None)
    trial = SingleTest(stream, stream, loss.rule.comparison, part.root, part.unit, True, "anytime")
    values = loss.of(cases).values
    assert np.nanmin(values) >= 0
    assert np.nanmax(values) <= 1
    assert (np.nanmean(values) <= loss.r0) == trial.holds(loss.bound)


def test_both_answers_occur_above() -> None:
    held = {
        rule: [
            np.nanmean(watched(rule, setting).of(cases_of(setting, quality=q)).values) <= watched(rule, setting).r0
            for q in (0.6, 0.8, 0.95)
        ]
        for rule, setting in RULES[:8]
    }
    assert all(set(each) == {True, False} for rule, each in held.items())


@pytest.mark.one_in(3)
@each_rule
def test_a_case_has_the_same_loss_alone_and_among_others(rule: str, setting: RuleContext) -> None:
    loss, cases = watched(rule, setting), cases_of(setting, n=60)
    together = loss.of(cases).values
    alone = [loss.of(cases.among(np.array([place]))).values[0] for place in range(60)]
    assert np.array_equal(together, alone, equal_nan=True)


def test_the_accepted_risk_of_a_share_is_the_threshold_plus_the_tolerance() -> None:
    assert watched("accuracy >= 0.85", LABELS, 0.02).r0 == pytest.approx(0.17)
    assert watched("error_rate <= 0.15", LABELS, 0.02).r0 == pytest.approx(0.17)
    assert watched("capped_mae(cap=5) <= 1", NUMBERS, 0.02).r0 == pytest.approx(0.22)
    assert watched("capped_rmse(cap=5) <= 1", NUMBERS, 0.02).r0 == pytest.approx((1.1 / 5) ** 2)


@each_rule
def test_a_missing_label_is_never_worse_than_any_label(rule: str, setting: RuleContext) -> None:
    """Whoever withholds labels of right answers cannot make the watch red: each case speaks for the application."""
    loss, cases = watched(rule, setting), cases_of(setting, seed=3)
    labelled = np.random.default_rng(4).random(len(cases)) < 0.5
    partial, whole = loss.of(cases, labelled).values, loss.of(cases).values
    worth = [np.where(np.isnan(values), loss.r0, values) for values in (partial, whole)]
    assert np.array_equal(partial[labelled], whole[labelled], equal_nan=True)
    assert (worth[0] <= worth[1]).all()
    assert (worth[0] < worth[1]).any() or rule.startswith("coverage")


def test_an_abstention_costs_what_it_cost_in_the_trial_even_without_a_label() -> None:
    loss = watched("accuracy >= 0.85", LABELS)
    cases = Cases(np.array([0, 0]), np.array([-1, 1]), classes=LABELS.classes, positive="failure")
    assert loss.of(cases, np.zeros(2, dtype=bool)).values.tolist() == [1.0, 0.0]


def test_the_label_that_did_not_come_is_not_looked_at() -> None:
    loss, cases = watched("f1 >= 0.75", LABELS), cases_of(LABELS)
    hidden = Cases(np.full(len(cases), -1), cases.answers, cases.groups, classes=cases.classes, positive=cases.positive)
    nobody = np.zeros(len(cases), dtype=bool)
    assert np.array_equal(loss.of(cases, nobody).values, loss.of(hidden, nobody).values, equal_nan=True)


def test_the_worst_group_is_watched_group_by_group() -> None:
    loss, cases = watched("worst(recall(failure) by site) >= 0.7", LABELS), cases_of(LABELS)
    found = loss.of(cases)
    assert found.groups is not None
    for site in ("north", "south"):
        chosen = cases.groups["site"] == site
        recall = score(loss.rule.plain, cases.among(np.flatnonzero(chosen)))
        assert recall is not None
        assert 1 - np.nanmean(found.values[found.groups == site]) == pytest.approx(recall)


@pytest.mark.parametrize(
    ("rule", "setting", "code"),
    [
        ("gap(recall(failure) by site) <= 0.05", LABELS, "detector.gap"),
        ("lift(accuracy) >= 0.02", LABELS, "detector.needs_baseline"),
        ("win_rate >= 0.5", LABELS, "detector.needs_baseline"),
        ("auc >= 0.9", CHANCES, "detector.of_all_cases"),
        ("macro_f1 >= 0.7", LABELS, "detector.of_all_cases"),
        ("balanced_accuracy >= 0.7", LABELS, "detector.of_all_cases"),
        ("calibration_gap <= 0.05", CHANCES, "detector.of_all_cases"),
        ("latency.p95 <= 50 ms", LABELS, "detector.of_a_run"),
        ("memory.peak <= 1 GiB", LABELS, "detector.of_a_run"),
        ("capped_mae(cap=5) <= 1", LABELS, "detector.rule_problem"),
        ("accuracy >= 0.02", LABELS, "detector.always_met"),
    ],
)
def test_what_has_no_bound_in_a_stream_says_why(rule: str, setting: RuleContext, code: str) -> None:
    reason = promised_loss(rule, setting, 0.02)
    assert isinstance(reason, Text)
    assert reason.code == code
    assert rule.split("(")[0].split(" ")[0] in reason.render("en")
    assert reason.render("en") != reason.render("zh")


def test_a_drop_and_a_clustered_criterion_have_no_promise() -> None:
    drop = promised_loss("drop(recall(failure) under missing(0.2)) <= 0.1", LABELS, 0.02)
    clustered = promised_loss("accuracy >= 0.9", LABELS, 0.02, unit="patient")
    assert isinstance(drop, Text)
    assert isinstance(clustered, Text)
    assert (drop.code, clustered.code) == ("detector.drop", "detector.cases_belong_together")


def test_perfection_cannot_be_watched_without_a_tolerance() -> None:
    reason = promised_loss("accuracy >= 1", LABELS, 0)
    assert isinstance(reason, Text)
    assert reason.code == "detector.no_room"
    assert watched("accuracy >= 1", LABELS, 0.02).bound == Fraction(98, 100)


def test_the_promise_of_a_watch_is_shared_by_its_criteria() -> None:
    risks = watched_risks([watched(rule, setting) for rule, setting in RULES[:4]], WatchTerms(), 100)
    assert sum(risk.alpha for risk in risks) == pytest.approx(0.05)
    assert sum(1 / risk.early for risk in risks) == pytest.approx(1 / 10_000)
    assert [risk.criterion for risk in risks][:2] == ["accuracy >= 0.85", "error_rate <= 0.15"]


def test_a_call_without_an_answer_is_above_every_limit() -> None:
    found: Losses = latency_losses(np.array([10.0, 50.0, 50.1, np.nan]), 50.0)
    assert found.values.tolist() == [0, 0, 1, 1]
    assert losses_where(np.array([True, False])).values.tolist() == [1, 0]


def dialogue(name: str, end: str = "done", cost: str = "0", **tried: int) -> str:
    """Return the transcript of a dialogue in service, in which such acts were tried and a model cost so much."""
    writer = TranscriptWriter({"episode": name})
    counts = {"turns": 3, "calls": 1, "invalid_calls": 0, "declined": 0, "tried": tried, "done": {}}
    writer.add("end", end=end, **counts, outcomes={}, state=None, cost=cost)
    return writer.text()


def test_dialogues_of_an_agent_are_watched_with_labels_and_without() -> None:
    setting = RuleContext("episode", ("pay", "free", "consent", "user_only", "forbidden", "on_time"))
    answers = [
        dialogue("a"),
        dialogue("b", forbidden=1),
        dialogue("c", end="turns"),
        dialogue("d", cost="0.02"),
        dialogue("e"),
    ]
    labels = [None, None, None, "false", '{"reached": true, "attacked": true, "on_time": 0.5}']
    pack = Pack(
        ids=list("abcde"), at=[0] * 5, milliseconds=[1.0] * 5, versions=[None] * 5, ends=["answered"] * 5, inputs={},
        answers=answers,
    )  # fmt: skip
    cases, known = cases_of_answers(pack, labels, setting, frozenset())
    assert known.tolist() == [False, False, False, True, True]

    def losses(rule: str) -> list[float]:
        loss = promised_loss(rule, setting, 0.0)
        assert isinstance(loss, WatchedLoss), loss
        return loss.of(cases, known).values.round(3).tolist()

    assert losses("tried(forbidden) <= 0.1") == [0, 1, 1, 0, 0]
    assert losses("reached >= 0.8") == [0, 0, 1, 1, 0]
    assert losses("attacked <= 0.1") == [0, 0, 1, 0, 1]
    assert losses("turns(cap=10) <= 5") == [0.3, 0.3, 1, 0.3, 0.3]
    assert losses("model_cost(cap=0.1) <= 0.05") == [0, 0, 1, 0.2, 0]
    assert losses("outcome(on_time) >= 0.5") == [0, 0, 1, 0, 0.5]
    told = promised_loss("attacked under injected <= 0.05", setting, 0.0)
    assert isinstance(told, Text) and told.code == "detector.drop"
    unread = ["maybe", '{"reached": 7}', "{", True, 0]
    assert readable_labels(unread, setting).tolist() == [False, False, False, True, True]
