"""Recorded cases and the plan that they are read by."""

import pytest

from pilotbase.documents.errors import InputError
from pilotbase.trial.decision_plans import Overrides, read_decision_plan
from pilotbase.trial.recorded_cases import read_recorded_cases

TWO_UNITS = """
criteria:
  - {rule: accuracy >= 0.5, unit: machine, estimand: population}
  - {rule: accuracy >= 0.6, unit: day, estimand: population}
prediction: {kind: label, classes: [broken, fine], positive: broken}
"""


def test_criteria_over_different_units_are_refused_by_name(tmp_path):
    """Cases are drawn by one unit; the second would be ignored, and its cases taken for independent."""
    (tmp_path / "plan.yaml").write_text(TWO_UNITS)
    cases = tmp_path / "cases.csv"
    cases.write_text("case,truth,prediction,machine,day\n1,fine,fine,a,mon\n2,broken,broken,b,tue\n")
    with pytest.raises(InputError) as caught:
        read_recorded_cases(cases, read_decision_plan(tmp_path / "plan.yaml", Overrides()))
    assert [issue.path for issue in caught.value.issues] == ["unit"]
    assert "day, machine" in caught.value.render("en")
