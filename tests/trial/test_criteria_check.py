"""What is said of criteria before anything runs."""

import polars as pl
import pytest

from pilotbase.documents.errors import InputError
from pilotbase.documents.loading import build_document
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.yaml_reader import parse_yaml
from pilotbase.trial import criteria_check
from pilotbase.trial.criteria_check import check_criteria
from tests.trial.conftest import SCENARIO


def check(rule: str, sites: list[str]) -> None:
    content = SCENARIO.format(cases=50).replace("accuracy >= 0.7", rule)
    scenario = build_document(Scenario, parse_yaml(content.encode(), "scenario.yaml"))
    rows = len(sites)
    public = pl.DataFrame(
        {
            "case_id": [f"c{number}" for number in range(rows)],
            "pressure": [5.0] * rows,
            "age": [1] * rows,
            "site": sites,
            "failure": ["broken", "fine"] * (rows // 2),
        }
    )
    check_criteria(scenario, ("broken", "fine"), public, 50, 0.05)


@pytest.mark.parametrize("rule", ["gap(accuracy by site) <= 0.5", "worst(accuracy by site) >= 0.5"])
def test_groups_are_counted_before_pairs_of_them_are_compared(monkeypatch, rule):
    check(rule, ["north", "south"] * 50)
    with pytest.raises(InputError) as caught:
        check(rule, [f"s{number}" for number in range(100)])
    assert [issue.path for issue in caught.value.issues] == ["criteria[1].rule"]
    assert "100 groups of 100 public cases" in caught.value.render("en")
    monkeypatch.setattr(criteria_check, "MAXIMUM_GROUPS", {"gap": 40, "worst": 40})
    check(rule, [f"s{number % 40}" for number in range(100)])
    with pytest.raises(InputError, match=r"scenario\.yaml"):
        check(rule, [f"s{number % 41}" for number in range(100)])


def test_a_measure_that_proves_nothing_alone_is_refused_before_the_freeze():
    with pytest.raises(InputError) as caught:
        check("selective_accuracy >= 0.7", ["north", "south"] * 50)
    (issue,) = caught.value.issues
    assert (issue.path, issue.problem.code) == ("criteria[1].rule", "measure.stands_alone")
    assert "coverage, abstention" in issue.problem.render("zh")
