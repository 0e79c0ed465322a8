"""One run tells all that is wrong with a scenario: form, criteria, baseline and data, each with its line."""

from pathlib import Path

import pytest

from pilotbase.documents.errors import InputError
from pilotbase.worker.intake.checking import check_draft, check_scenario
from pilotbase.worker.trials.proving import freeze_in
from tests.trial.conftest import base, home, write_application, write_scenario  # noqa: F401

FOUR = {
    "  attempts: 6": "  attempts: many",
    "recall(broken) >= 0.7": "recal(broken) >= 0.7",
    "rule: pressure > 8": "rule: presure > 8",
    "name: site, dataType: sc:Text": "name: sight, dataType: sc:Text",
}
PLACES = {
    ("trial.attempts", "input.invalid_value"),
    ("criteria[0].rule", "measure.unknown"),
    ("baseline.rule", "data.rule.unknown_column"),
    ("data.fields[3]", "data.missing_column"),
}


def changed(changes):
    def change(content):
        for right, wrong in changes.items():
            assert right in content
            content = content.replace(right, wrong)
        return content

    return change


def refused(look, *given):
    with pytest.raises(InputError) as caught:
        look(*given)
    return caught.value


def lines_of(file: Path, error):
    """Return what stands in the lines that ``error`` names."""
    lines = file.read_text().splitlines()
    return [lines[issue.line - 1] for issue in error.issues]


@pytest.mark.parametrize("look", [check_scenario, check_draft])
def test_four_mistakes_of_four_kinds_are_told_in_one_run(write_scenario, look):  # noqa: F811
    folder = write_scenario(change=changed(FOUR))
    error = refused(look, folder)
    assert {(issue.path, issue.problem.code) for issue in error.issues} == PLACES
    assert {issue.file for issue in error.issues} == {str(folder / "scenario.yaml")}
    assert all(any(wrong in line for line in lines_of(folder / "scenario.yaml", error)) for wrong in FOUR.values())
    assert [issue.line for issue in error.issues] == sorted(issue.line for issue in error.issues)
    for language, asked in (("en", "did you mean"), ("zh", "是否指")):
        assert error.render(language).count(asked) == 3


def test_the_file_is_named_as_it_was_given(write_scenario):  # noqa: F811
    folder = write_scenario(change=changed({"accuracy >= 0.7": "accuracy <= 0.7"}))
    (folder / "scenario.yaml").rename(folder / "draft.yaml")
    (issue,) = refused(check_scenario, folder / "draft.yaml").issues
    assert (issue.file, issue.path, issue.problem.code) == (
        str(folder / "draft.yaml"),
        "criteria[1].rule",
        "measure.direction",
    )
    assert "accuracy <= 0.7" in (folder / "draft.yaml").read_text().splitlines()[issue.line - 1]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"unit: d}": "unit: [d]}"}, "data.fields[2].unit"),
        ({"hidden: 0.6": "hidden: 60"}, "data.split.hidden"),
        ({"kind: rule, rule: pressure > 8": "kind: rule"}, "baseline.rule"),
        ({"positive: broken": "positive: [broken]"}, "positive"),
        ({"  attempts: 6": "  attempts: 0"}, "trial.attempts"),
        ({"cases_per_attempt: 100": "cases_per_attempt: -1"}, "trial.cases_per_attempt"),
        ({"name: site, dataType: sc:Text": "name: site, dataType: 5"}, "data.fields[3].dataType"),
        ({"by: case_id": "by: [case_id]"}, "data.split.by"),
    ],
)
def test_nothing_is_told_that_only_follows_from_another_mistake(write_scenario, changes, path):  # noqa: F811
    lifts = {"recall(broken) >= 0.7": "lift(recall(broken)) >= 0.01", "accuracy >= 0.7": "gap(recall by site) <= 0.9"}
    folder = write_scenario(change=changed({**changes, **lifts}))
    assert [issue.path for issue in refused(check_scenario, folder).issues] == [path]


def test_a_missing_table_hides_no_criterion(write_scenario):  # noqa: F811
    folder = write_scenario(change=changed({"recall(broken)": "recal(broken)", "licence: CC0-1.0": "licence: [CC0]"}))
    (folder / "cases.csv").unlink()
    error = refused(check_scenario, folder)
    assert [issue.path for issue in error.issues] == ["data.file", "data.licence", "criteria[0].rule"]
    assert "cases.csv" in error.render("zh")


def test_a_class_that_is_none_is_told_beside_a_measure_that_is_none(write_scenario):  # noqa: F811
    folder = write_scenario(change=changed({"recall(broken)": "recall(brokn)", "accuracy": "acuracy"}))
    said = [issue.problem.render("en") for issue in refused(check_scenario, folder).issues]
    assert [words.rpartition("; ")[2] for words in said] == ["did you mean broken?", "did you mean accuracy?"]


def test_a_trial_names_the_file_and_the_line_of_a_criterion_too(base, write_scenario, write_application):  # noqa: F811
    folder = write_scenario(change=changed({"accuracy >= 0.7": "accuracy <= 0.7"}))
    (issue,) = refused(freeze_in, base, folder, write_application()).issues
    assert (issue.file, issue.path) == (str(folder / "scenario.yaml"), "criteria[1].rule")
    assert "accuracy <= 0.7" in (folder / "scenario.yaml").read_text().splitlines()[issue.line - 1]


def test_a_trial_names_the_lines_of_fields_that_the_data_do_not_fit(base, write_scenario, write_application):  # noqa: F811
    folder = write_scenario(change=changed({"name: age": "name: agee"}))
    (issue,) = refused(freeze_in, base, folder, write_application()).issues
    assert (issue.file, issue.path) == (str(folder / "scenario.yaml"), "data.fields[2]")
    assert "agee" in (folder / "scenario.yaml").read_text().splitlines()[issue.line - 1]
