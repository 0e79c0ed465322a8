"""Permitted aggregates: what rests on few cases stays, what follows from it by subtraction stays, and twice is once."""

import json

import pytest

from pilotbase.documents.report import GroupScore, Report
from pilotbase.documents.site import Release
from pilotbase.worker.sites.releases import permitted


@pytest.fixture
def full(done) -> Report:
    return done.good.ran.report


def with_groups(full: Report, **sizes: int) -> Report:
    groups = tuple(
        GroupScore(column="site", group=name, measure="accuracy", cases=cases, score=0.9)
        for name, cases in sizes.items()
    )
    return full.model_copy(update={"groups": groups})


def shown(report: Report) -> list[str]:
    return sorted(score.group for score in report.groups)


def test_rounded_is_the_suppliers_view_and_how_many_cases_were_scored(full):
    leaving, supplier = permitted(full, Release()), full.supplier_view()
    assert leaving.attempt.scored == full.attempt.scored and supplier.attempt.scored is None
    assert [one.estimate for one in leaving.criteria] == [one.estimate for one in supplier.criteria]
    assert leaving.performance == supplier.performance and leaving.full_report == full.digest()


@pytest.mark.parametrize(
    ("sizes", "left"),
    [
        ({"a": 40, "b": 30, "c": 30}, ["a", "b", "c"]),
        ({"a": 40, "b": 30, "c": 9}, ["a"]),
        ({"a": 40, "b": 8, "c": 9}, ["a"]),
        ({"a": 91, "b": 9}, []),
        ({"a": 3, "b": 9}, []),
    ],
)
def test_a_small_group_stays_and_with_it_what_would_tell_of_it(full, sizes, left):
    assert shown(permitted(with_groups(full, **sizes), Release(figures="bounds"))) == left
    assert shown(permitted(with_groups(full, **sizes), Release())) == []


def test_bounds_are_exact_for_answers_and_never_for_what_the_application_chooses(full):
    leaving = permitted(full, Release(figures="bounds"))
    recall, accuracy, memory = leaving.criteria
    for shown, whole in zip((recall, accuracy), full.criteria[:2], strict=True):
        assert (shown.estimate, shown.lower, shown.scored) == (whole.estimate, whole.lower, whole.scored)
        assert shown.lower is not None and shown.path == ()
    assert memory.estimate == float(f"{full.criteria[2].estimate:.2g}")
    assert leaving.performance == full.supplier_view().performance


@pytest.mark.parametrize("figures", ["rounded", "bounds"])
def test_a_criterion_on_few_cases_leaves_its_outcome_and_no_figure(full, figures):
    few = full.criteria[0].model_copy(update={"scored": 9, "people": 0.8})
    report = full.model_copy(update={"criteria": (few, *full.criteria[1:])})
    result = permitted(report, Release(figures=figures)).criteria[0]
    assert result.outcome == few.outcome
    assert {result.estimate, result.lower, result.upper, result.scored} == {None}
    assert {result.baseline, result.people} == {None}
    assert permitted(report, Release(figures=figures, smallest_cell=9)).criteria[0].estimate is not None


def test_the_figure_of_a_rejection_on_few_cases_stands_in_no_reason(done):
    report = done.bad.ran.report
    few = report.criteria[0].model_copy(update={"scored": 9})
    leaving = permitted(report.model_copy(update={"criteria": (few, *report.criteria[1:])}), Release())
    (reason,) = [one for one in leaving.reasons if one.params["rule"] == few.rule]
    assert reason.params["estimate"] == "–"


def test_a_few_abstentions_are_not_counted(full):
    told = json.loads(json.dumps(full.to_json_value()))
    told["counts"]["abstained"] = 7
    for section in told["sections"]:
        for finding in section["findings"]:
            if "abstained" in finding["sentence"]["params"]:
                finding["sentence"]["params"]["abstained"] = 7
    leaving = permitted(Report.model_validate(told), Release())
    assert "abstained" not in leaving.counts
    assert '"abstained":7' not in leaving.canonical().decode()
    assert permitted(Report.model_validate(told), Release(smallest_cell=7)).counts["abstained"] == 7


@pytest.mark.one_in(2)
@pytest.mark.parametrize("figures", ["rounded", "bounds"])
def test_applied_again_it_changes_nothing(full, figures):
    release = Release(figures=figures)
    for report in (full, with_groups(full, a=40, b=30, c=9)):
        once = permitted(report, release)
        assert permitted(once, release) == once
        assert permitted(once, Release()) == once or figures == "bounds"


@pytest.mark.parametrize(
    ("asked", "holds"),
    [
        (Release(), True),
        (Release(smallest_cell=50), True),
        (Release(smallest_cell=9), False),
        (Release(figures="bounds"), False),
    ],
)
def test_a_base_may_ask_for_less_and_never_for_more(asked, holds):
    assert asked.within(Release()) is holds
    assert asked.within(Release(figures="bounds", smallest_cell=1))
