"""Figures of a report: counts and means of scored cases, each reckoned by hand on a handful of cases."""

import warnings

import numpy as np
import pytest

from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.figures import CalibrationBin, ClassRow, IntervalGroup
from pilotbase.measures import Cases
from pilotbase.trial.figures import figures_of

NAN = float("nan")


def made(cases, *rules):
    return figures_of(cases, [parse_rule(rule) for rule in rules])


def objects(*values):
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def test_of_no_case_there_is_no_figure():
    assert made(Cases(np.array([], dtype=np.int32), np.array([], dtype=np.int32), classes=("a", "b"))) == ()


def test_a_matrix_counts_what_was_taken_for_what_and_who_said_nothing():
    cases = Cases(np.array([0, 0, 0, 1, 1]), np.array([0, 1, -1, 1, 0]), classes=("a", "b"))
    (matrix,) = made(cases)
    assert (matrix.classes, matrix.folded, matrix.none) == (("a", "b"), 0, True)
    assert matrix.counts == ((1, 1, 1), (1, 1, 0), (0, 0, 0))
    (all_answered,) = made(Cases(np.array([0, 1]), np.array([0, 0]), classes=("a", "b")))
    assert all_answered.counts == ((1, 0), (1, 0))


def test_the_rarest_of_many_classes_are_one_row_and_no_case_is_lost():
    classes = tuple(f"c{number:02}" for number in range(14))
    truth = np.array([code for code in range(14) for _ in range(14 - code)])
    answers = truth.copy()
    answers[0], answers[-1] = 13, -1
    (matrix,) = made(Cases(truth, answers, classes=classes))
    assert matrix.classes == classes[:10] and matrix.folded == 4
    counts = np.array(matrix.counts)
    assert counts.shape == (12, 12) and counts.sum() == len(truth)
    assert counts[0, 10] == 1 and counts[10, 10] == 4 + 3 + 2 and counts[10, 11] == 1


def test_a_matrix_of_ten_thousand_classes_takes_no_matrix_of_them():
    classes = tuple(f"c{number:05}" for number in range(10_000))
    codes = np.arange(10_000)
    (matrix,) = made(Cases(codes, codes[::-1].copy(), classes=classes))
    assert matrix.folded == 9_990 and sum(map(sum, matrix.counts)) == 10_000


def test_calibration_and_the_spread_of_probabilities():
    given = np.array([0.1, 0.3, 0.35, 0.35, 1.0, NAN])
    cases = Cases(np.array([0, 1, 0, 1, 1, 1]), given, classes=("no", "yes"), positive="yes", kind="probability")
    calibration, spread = made(cases)
    filled = [one for one in calibration.bins if one.cases]
    assert filled == [
        CalibrationBin(low=0.1, high=0.2, cases=1, answered=0.1, hits=0),
        CalibrationBin(low=0.3, high=0.4, cases=3, answered=0.333333, hits=2),
        CalibrationBin(low=0.9, high=1.0, cases=1, answered=1.0, hits=1),
    ]
    # |0 - 0.1| + |2 - 1| + |1 - 1|, of five answers
    assert calibration.error == pytest.approx((0.1 + 1 + 0) / 5) and calibration.absent == 1
    assert (sum(spread.members), sum(spread.others), spread.members[19], spread.others[2]) == (3, 2, 1, 1)


def test_numbers_against_truth_stand_in_squares_between_round_ends():
    truth = np.array([0.0, 10.0, 20.0, 20.5, NAN])
    cases = Cases(truth, np.array([1.0, 10.2, 20.0, NAN, 3.0]), kind="value")
    grid, off = made(cases)
    assert (grid.low, grid.step, grid.size) == (0.0, 1.0, 20)
    assert grid.cells == ((0, 1, 1), (10, 10, 1), (19, 19, 1)) and grid.absent == 2
    assert (off.low, off.step, sum(off.counts), off.beyond, off.mean) == (0.0, 0.05, 3, 0, None)


def test_one_wild_answer_does_not_stretch_the_picture():
    truth = np.linspace(0, 10, 500)
    answers = truth.copy()
    answers[7] = 1e300
    grid, off = made(Cases(truth, answers, kind="value"))
    assert grid.low + grid.step * grid.size == 10 and grid.beyond == 1
    assert sum(off.counts) == 500 and off.beyond == 1 and len(off.counts) <= 22


@pytest.mark.parametrize("value", [0.0, 7.0, 1e9 + 0.25, -1e300, 5e-320])
def test_numbers_that_are_all_the_same_have_a_picture(value):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        grid, off = made(Cases(np.full(6, value), np.full(6, value), kind="value"))
    assert sum(count for *_, count in grid.cells) == sum(off.counts) == 6 and grid.beyond == off.beyond == 0


def test_intervals_are_told_by_groups_and_covered_so_far():
    truth = np.arange(10.0)
    ends = np.column_stack([truth - 1, truth + 1])
    ends[3] = NAN
    ends[4] = (8, 9)
    found, *_ = made(Cases(truth[::-1].copy(), ends[::-1].copy(), kind="interval"))
    assert found.groups == (IntervalGroup(cases=9, truth=4.66667, lower=4.22222, upper=6.11111, covered=8),)
    assert [(one.cases, one.covered) for one in found.coverage] == [(5, 5), (6, 5), (7, 5), (8, 6), (9, 7), (10, 8)]
    assert found.absent == 1


def test_an_interval_holds_its_ends():
    ends = np.column_stack([np.arange(6.0), np.arange(6.0) + 1])
    for truth in ends.T:
        found, *_ = made(Cases(truth.copy(), ends, kind="interval"))
        assert found.coverage[-1].covered == found.groups[0].covered == 6


def test_fewer_cases_than_a_mean_is_made_of_have_none():
    ends = np.zeros((4, 2))
    found, *rest = made(Cases(np.zeros(4), ends, kind="interval", times=np.array(["1", "2", "3", "4"])))
    assert found.groups == () and rest == []


def test_the_course_over_time_is_means_of_neighbouring_cases():
    times = np.array([f"2026-01-{day:02}T00:00:00.000000" for day in range(1, 11)])
    order = np.array([9, 0, 5, 3, 7, 1, 8, 2, 6, 4])
    truth = np.arange(10.0)
    *_, course = made(Cases(truth[order], truth[order] + 1, kind="value", times=times[order]))
    first, second = course.points
    assert course.seconds and (first.cases, first.truth, first.answered) == (5, 2.0, 3.0)
    assert second.at - first.at == 5 * 86_400 and (second.truth, second.lower) == (7.0, None)
    plain = made(Cases(truth, truth, kind="value", times=np.array([str(step) for step in range(10)])))[-1]
    assert not plain.seconds and [point.at for point in plain.points] == [0.0, 5.0]


def test_labels_boxes_and_pixels_by_class():
    truth = np.array([[1, 0], [1, 1], [0, 1]], dtype=np.int8)
    answers = np.array([[1, 1], [0, 1], [-1, -1]], dtype=np.int8)
    (labels,) = made(Cases(truth, answers, classes=("a", "b"), kind="labels"))
    rows = (ClassRow(name="a", wanted=2, answered=1, hits=1), ClassRow(name="b", wanted=2, answered=2, hits=1))
    assert labels.rows == rows and labels.absent == 1

    true = objects(np.array([[0, 0, 0, 10, 10], [1, 50, 50, 10, 10.0]]), np.zeros((0, 5)))
    given = objects(np.array([[0, 0, 0, 10, 8, 0.9], [0, 1, 1, 10, 10, 0.5], [1, 0, 0, 10, 10, 0.7]]), None)
    (boxes,) = made(Cases(true, given, classes=("a", "b"), kind="boxes"), "box_recall(iou=0.75) >= 0.5")
    assert boxes.overlap == 0.75 and boxes.absent == 1
    assert boxes.rows == (
        ClassRow(name="a", wanted=1, answered=2, hits=1),
        ClassRow(name="b", wanted=1, answered=1, hits=0),
    )

    mask = np.array([[0, 0, 1], [1, 1, 255]], dtype=np.uint8)
    other = np.array([[0, 1, 1], [1, 255, 0]], dtype=np.uint8)
    (pixels,) = made(Cases(objects(mask, mask), objects(other, None), classes=("0", "1"), kind="mask"))
    assert pixels.rows == (
        ClassRow(name="0", wanted=4, answered=2, hits=1),
        ClassRow(name="1", wanted=6, answered=3, hits=2),
    )


def test_the_place_of_the_first_wanted_name():
    truth = np.array([[3, 4], [5, -1], [6, -1], [0, -1]])
    answers = np.array([[4, 3, 1], [1, 2, 5], [1, 2, 3], [-1, -1, -1]])
    (found,) = made(Cases(truth, answers, kind="ranking", classes=tuple("abcdefg")))
    assert found.counts == (1, 0, 1, 0, 0, 0, 0, 0, 0, 0) and (found.later, found.never) == (0, 2)
    (one,) = made(Cases(np.array([2]), np.array([[0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 2]]), kind="ranking"))
    assert one.later == 1


def test_texts_by_how_much_of_them_differs():
    truth = objects("0123456789", "0123456789", "ab", "ab", None, None)
    answers = objects("0123456789", "012345678x", "abcd", None, None, "sure")
    (found,) = made(Cases(truth, answers, kind="text"), "cer <= 0.1")
    assert found.same == 1 and found.absent == 1 and (found.refused, found.not_refused) == (1, 1)
    assert dict(zip([*found.ends, "more"], found.differing, strict=True)) == {
        0.02: 0, 0.05: 0, 0.1: 1, 0.2: 0, 0.5: 0, "more": 1,
    }  # fmt: skip
    (whole,) = made(Cases(truth[:4], answers[:4], kind="text"), "exact_match >= 0.9")
    assert (whole.ends, whole.differing, whole.refused) == ((), (2,), None)
