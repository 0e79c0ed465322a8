"""Recorded cases and the plan that they are read by."""

import pytest

from pilotbase.documents.errors import InputError
from pilotbase.documents.plan import DecisionPlan
from pilotbase.measures import score
from pilotbase.trial.deciding import Overrides, read_decision_plan
from pilotbase.trial.recorded_cases import read_recorded_cases

TWO_UNITS = """
criteria:
  - {rule: accuracy >= 0.5, unit: machine, estimand: population}
  - {rule: accuracy >= 0.6, unit: day, estimand: population}
prediction: {kind: label, classes: [broken, fine], positive: broken}
"""


@pytest.mark.parametrize(("second", "named"), [("unit: day", "day, machine"), ("unit: case", "“unit: machine”")])
def test_criteria_over_different_units_are_refused_by_name(tmp_path, second, named):
    """Cases are drawn by one unit; the second would be ignored, and its cases taken for independent."""
    (tmp_path / "plan.yaml").write_text(TWO_UNITS.replace("unit: day", second))
    cases = tmp_path / "cases.csv"
    cases.write_text("case,truth,prediction,machine,day\n1,fine,fine,a,mon\n2,broken,broken,b,tue\n")
    with pytest.raises(InputError) as caught:
        read_recorded_cases(cases, read_decision_plan(tmp_path / "plan.yaml", Overrides()))
    assert [issue.path for issue in caught.value.issues] == ["unit"]
    assert named in caught.value.render("en")


STRUCTURES = {
    "labels": (
        "label_f1 >= 0.5", 'c1,leak|rust,"[""leak""]"\nc2,,[]\nc3,rust,rust|leak\n', 2 * 2 / (3 + 3),
        "[1]", "[",
    ),
    "boxes": (
        "box_recall(iou=0.5) >= 0.5",
        'c1,"[[""bolt"", 0, 0, 4, 4]]","[[""bolt"", 0, 0, 4, 4, 0.9]]"\nc2,"[[""bolt"", 0, 0, 4, 4]]",[]\nc3,,[]\n',
        0.5, "[[1]]", '[["bolt", 0, 0, 4]]',
    ),
    "mask": (
        "pixel_accuracy >= 0.5",
        'c1,"{""size"": [1, 4], ""runs"": [0, 4]}","{""size"": [1, 4], ""runs"": [0, 3, 1, 1]}"\n'
        'c2,"{""size"": [1, 4], ""runs"": [1, 4]}","{""size"": [1, 4], ""runs"": [1, 4]}"\n',
        7 / 8, "[0, 1]", '{"size": [2, 2], "runs": [0, 3]}',
    ),
    "probabilities": (
        "brier <= 0.5", 'c1,a,"[0.5, 0.25, 0.25]"\nc2,b,"{""a"": 0, ""b"": 1, ""c"": 0}"\nc3,c,\n',
        (0.1875 + 0 + 1) / 3, None, None,
    ),
    "ranking": ("top_k(k=1) >= 0.5", "c1,d1|d2,d2|d9\nc2,d1,d9|d1\n", 0.5, None, None),
}  # fmt: skip


@pytest.mark.parametrize("kind", STRUCTURES)
def test_structures_are_read_from_recorded_answers(kind, tmp_path):
    rule, rows, value, *strange = STRUCTURES[kind]
    plan = DecisionPlan.model_validate({"criteria": [rule], "prediction": kind})
    file = tmp_path / "cases.csv"
    file.write_text("case,truth,prediction\n" + rows)
    recorded = read_recorded_cases(file, plan)
    assert score(plan.criteria[0].parsed(), recorded.cases) == pytest.approx(value)
    for wrong in filter(None, strange):
        quoted = wrong.replace('"', '""')
        file.write_text(f'case,truth,prediction\n{rows}c9,,"{quoted}"\nc10,"{quoted}",\n')
        with pytest.raises(InputError) as refused:
            read_recorded_cases(file, plan)
        lines = [issue.line for issue in refused.value.issues if issue.problem.code == "trial.no_structure"]
        height = len(rows.splitlines())
        assert lines and set(lines) <= {height + 2, height + 3}
