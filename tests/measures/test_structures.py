"""Rankings, label sets, boxes and masks: small cases worked by hand, and what formulae leave open."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.scenario import Criterion
from pilotbase.documents.vocabularies import Estimand
from pilotbase.evidence import Design, Levels, outcome_of
from pilotbase.measures import Cases, RuleContext, problems_of, score
from pilotbase.trial.scoring import plan_criterion


def value(rule: str, cases: Cases) -> float | None:
    return score(parse_rule(rule), cases)


def objects(values: list[Any]) -> Any:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def ranking(truth: Any, answers: Any) -> Cases:
    return Cases(np.array(truth), np.array(answers), classes=tuple("abcdefgh"), kind="ranking")


def boxes(truth: list[Any], answers: list[Any]) -> Cases:
    true = objects([np.array(rows, dtype=float).reshape(-1, 5) for rows in truth])
    found = objects([None if rows is None else np.array(rows, dtype=float).reshape(-1, 6) for rows in answers])
    return Cases(true, found, classes=("car", "bus"), kind="boxes")


def masks(truth: list[Any], answers: list[Any]) -> Cases:
    true, found = ([None if m is None else np.array(m, dtype=np.uint8) for m in each] for each in (truth, answers))
    return Cases(objects(true), objects(found), classes=("road", "tree"), kind="mask")


def test_a_ranking_by_hand() -> None:
    """Wanted 1 and 2; answered 5, 1, 6, 2: places 2 and 4."""
    cases = ranking([[1, 2]], [[5, 1, 6, 2]])
    assert value("top_k(k=1) >= 0", cases) == 0
    assert value("top_k(k=2) >= 0", cases) == 1
    assert value("recall_at_k(k=3) >= 0", cases) == 0.5
    assert value("precision_at_k(k=4) >= 0", cases) == 0.5
    assert value("reciprocal_rank >= 0", cases) == 0.5
    assert value("reciprocal_rank(k=1) >= 0", cases) == 0
    assert value("mean_average_precision >= 0", cases) == (1 / 2 + 2 / 4) / 2
    gain, best = 1 / np.log2(3) + 1 / np.log2(5), 1 + 1 / np.log2(3)
    assert value("ndcg >= 0", cases) == pytest.approx(gain / best, abs=1e-9)


def test_a_wanted_id_counts_once_however_often_it_is_named() -> None:
    cases = ranking([[1, 2]], [[1, 1, 1, 1]])
    assert value("recall_at_k(k=4) >= 0", cases) == 0.5
    assert value("precision_at_k(k=4) >= 0", cases) == 0.25
    assert value("mean_average_precision >= 0", cases) == 0.5
    assert value("ndcg >= 0", cases) == pytest.approx(1 / (1 + 1 / np.log2(3)), abs=1e-9)
    assert value("recall_at_k(k=2) >= 0", ranking([[1, 1, 2]], [[1, 5]])) == 0.5, "and is wanted once"


def test_one_wanted_id_may_stand_alone_and_a_case_without_one_does_not_count() -> None:
    assert value("top_k(k=1) >= 0", ranking([1, 2, -1], [[1], [1], [1]])) == 0.5
    assert value("mean_average_precision >= 0", ranking([[1, 1], [2, -1], [-1, -1]], [[1], [1], [1]])) == 0.5


def test_an_empty_set_of_labels_that_is_right_is_right() -> None:
    cases = Cases(np.array([[0, 0], [1, 0]]), np.array([[0, 0], [0, 1]]), classes=("a", "b"), kind="labels")
    assert value("subset_accuracy >= 0", cases) == value("example_f1 >= 0", cases) == 0.5
    assert value("label_f1 >= 0", cases) == 0
    assert value("hamming_loss <= 1", cases) == 0.5


def test_each_class_of_a_set_of_labels_can_be_asked_about_by_itself() -> None:
    truth, answers = np.array([[1, 0], [1, 1], [0, 1]]), np.array([[1, 1], [0, 1], [1, 1]])
    cases = Cases(truth, answers, classes=("a", "b"), kind="labels")
    assert value("recall(a) >= 0", cases) == value("precision(a) >= 0", cases) == 0.5
    assert value("precision(b) >= 0", cases) == pytest.approx(2 / 3)


def test_average_precision_of_boxes_by_hand() -> None:
    """Three true cars; hits at scores .9 and .7, a false alarm at .8: precision 1 up to recall 1/3, 2/3 up to 2/3."""
    truth = [[[0, 0, 0, 10, 10], [0, 50, 50, 10, 10]], [[0, 0, 0, 10, 10]]]
    answers = [[[0, 0, 0, 10, 10, 0.9], [0, 90, 90, 5, 5, 0.8]], [[0, 0, 1, 10, 10, 0.7]]]
    cases = boxes(truth, answers)
    by_hand = (34 * 1 + 33 * 2 / 3) / 101  # recalls 0 to .33, .34 to .66
    assert value("box_average_precision(car) >= 0", cases) == pytest.approx(by_hand, abs=1e-9)
    assert value("box_average_precision >= 0", cases) == pytest.approx(by_hand, abs=1e-9), "no bus: it does not count"
    # The second hit overlaps 90 / 110: it is one up to 0.80.
    strict = 34 / 101
    found = value("coco_average_precision(car) >= 0", cases)
    assert found == pytest.approx((7 * by_hand + 3 * strict) / 10, abs=1e-9)
    assert value("box_recall(car) >= 0", cases) == value("box_precision(car) >= 0", cases) == pytest.approx(2 / 3)
    assert value("matched_iou >= 0", cases) == pytest.approx((1 + 9 / 11) / 2, abs=1e-8)


def test_one_true_box_is_found_once_and_by_its_own_class_only() -> None:
    twice = boxes([[[0, 0, 0, 10, 10]]], [[[0, 0, 0, 10, 10, 0.9], [0, 0, 0, 10, 10, 0.8]]])
    assert value("box_precision >= 0", twice) == 0.5
    other = boxes([[[0, 0, 0, 10, 10]]], [[[1, 0, 0, 10, 10, 0.9]]])
    assert value("box_recall >= 0", other) == 0


def test_of_two_true_boxes_the_better_scored_answer_takes_the_one_it_overlaps_more() -> None:
    truth = [[[0, 0, 0, 10, 10], [0, 2, 0, 10, 10]]]
    greedy = boxes(truth, [[[0, 1.5, 0, 10, 10, 0.9], [0, 2, 0, 10, 10, 0.8]]])
    assert value("box_recall(iou=0.6) >= 0", greedy) == 1, "the second takes what the first left, at 8/12"
    assert value("box_recall(iou=0.7) >= 0", greedy) == 0.5


def test_only_the_best_scored_boxes_of_an_image_count() -> None:
    cases = boxes([[[0, 0, 0, 10, 10]]], [[[0, 50, 50, 9, 9, 0.9], [0, 0, 0, 10, 10, 0.8]]])
    assert value("box_recall >= 0", cases) == 1
    assert value("box_recall(most=1) >= 0", cases) == 0


def test_an_image_without_an_answer_is_worse_than_one_where_nothing_was_found() -> None:
    truth = [[[0, 0, 0, 10, 10]], [[0, 0, 0, 10, 10]]]
    hit = [[0, 0, 0, 10, 10, 0.9]]
    none, empty = boxes(truth, [hit, None]), boxes(truth, [hit, []])
    for rule in ("box_precision >= 0", "box_f1 >= 0", "box_average_precision >= 0"):
        assert value(rule, none) < value(rule, empty)  # type: ignore[operator]
    assert value("coverage >= 0", none) == 0.5 and value("coverage >= 0", empty) == 1


def test_masks_by_hand() -> None:
    cases = masks([[[0, 0], [1, 255]]], [[[0, 1], [1, 0]]])
    assert value("pixel_accuracy >= 0", cases) == 0.5
    assert value("iou(road) >= 0", cases) == pytest.approx(1 / 3), "a false alarm where there is no class"
    assert value("dice(road) >= 0", cases) == 0.5
    assert value("iou(tree) >= 0", cases) == 0.5
    assert value("mean_iou >= 0", cases) == pytest.approx((1 / 3 + 1 / 2) / 2, abs=1e-9)


def test_a_mask_of_another_size_is_wrong_in_each_pixel() -> None:
    cases = masks([[[0, 0]], [[0, 0]]], [[[0], [0]], [[0, 0]]])
    assert value("pixel_accuracy >= 0", cases) == 0.5
    assert value("iou(road) >= 0", cases) == 0.5
    assert value("coverage >= 0", cases) == 1


def test_a_large_image_counts_no_more_than_the_largest() -> None:
    cases = masks([np.zeros((10, 10)), [[1, 1]]], [np.ones((10, 10)), [[1, 1]]])
    assert value("pixel_accuracy >= 0", cases) == pytest.approx(2 / 102)
    assert value("pixel_accuracy(largest=2) >= 0", cases) == 0.5


def test_what_has_no_truth_does_not_count() -> None:
    image = [[[0, 0, 0, 10, 10]]]
    cases = boxes([*image, []], [[[0, 0, 0, 10, 10, 0.9]], [[0, 0, 0, 10, 10, 0.9]]])
    cases.truth[1] = None
    for rule in ("box_recall >= 0", "box_precision >= 0", "box_average_precision >= 0", "matched_iou >= 0"):
        assert value(rule, cases) == 1
    assert value("pixel_accuracy >= 0", masks([None, [[1]]], [[[0]], [[1]]])) == 1


def test_a_class_may_be_left_out_where_all_count_together_and_must_be_named_where_one_is_meant() -> None:
    setting = RuleContext("boxes", ("car", "bus"))
    assert problems_of(parse_rule("box_recall >= 0.5"), setting) == ()
    assert problems_of(parse_rule("box_recall(bus) >= 0.5"), setting) == ()
    (problem,) = problems_of(parse_rule("iou >= 0.5"), RuleContext("mask", ("road", "tree")))
    assert problem.code == "measure.class_missing"


def crowded(seed: int) -> Cases:
    """Thirty images with moved, doubled, missing and false boxes; every score is its own."""
    rng = np.random.default_rng(seed)
    truth, answers = [], []
    for _ in range(30):
        true = np.column_stack([rng.integers(0, 3, k := int(rng.integers(0, 8))), boxes_of(rng, k)])
        moved = true[rng.random(k) < 0.85]
        moved[:, 1:3] += rng.normal(0, 6, (len(moved), 2))
        false = np.column_stack([rng.integers(0, 3, m := int(rng.integers(0, 5))), boxes_of(rng, m)])
        found = np.vstack([moved, false, moved[rng.random(len(moved)) < 0.3] + [0, 3, 2, 0, 0]])
        answers.append(np.column_stack([found, rng.permutation(len(found)) * 0.05 + rng.random(len(found)) * 0.04]))
        truth.append(true)
    return Cases(objects(truth), objects(answers), classes=("a", "b", "c"), kind="boxes")


def boxes_of(rng: np.random.Generator, count: int) -> Any:
    return np.column_stack([rng.uniform(0, 300, (count, 2)), rng.uniform(10, 120, (count, 2))])


@pytest.mark.parametrize(
    ("seed", "coco", "half"),
    [
        (1, 0.2227285854015445, 0.4775574486595104),
        (2, 0.1653713772994755, 0.40970254920274424),
        (3, 0.1962189051365833, 0.3845196394576769),
    ],
)
def test_average_precision_of_crowded_images_is_that_of_pycocotools(seed: int, coco: float, half: float) -> None:
    """The first two figures that pycocotools 2.0.11 prints of the same boxes."""
    cases = crowded(seed)
    assert value("coco_average_precision >= 0", cases) == pytest.approx(coco, abs=1e-9)
    assert value("box_average_precision >= 0", cases) == pytest.approx(half, abs=1e-9)


def test_units_of_many_boxes_have_their_own_overlap_and_no_other() -> None:
    true = np.array([[0.0, 20.0 * place, 0.0, 10.0, 10.0] for place in range(75)])
    found = np.hstack(
        (true + np.array([0.0, 2.0, 0.0, 0.0, 0.0]), np.full((75, 1), 0.9))
    )  # each overlaps by two thirds
    cases = replace(boxes([true] * 100, [found] * 100), units=np.arange(100) // 2)
    for threshold, verdict in (("0.5", "pass"), ("0.8", "fail")):
        rule = f"matched_iou(iou=0.3, most=100) >= {threshold}"
        criterion = Criterion(rule=rule, estimand=Estimand.POPULATION, unit="road")
        plan = plan_criterion(criterion, cases, np.arange(100))
        levels = Levels(Fraction(1, 20), Fraction(1, 20))
        assert outcome_of([plan], np.arange(100), levels, Design("full")).criteria[0].verdict == verdict
