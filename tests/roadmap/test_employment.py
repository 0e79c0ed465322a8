"""Exposure, likeness, hours and activity: the sources' own figures first, then the base's; bad tables say where."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotbase.documents.errors import InputError
from pilotbase.documents.workforce import (
    Occupation,
    OccupationTable,
    SectorTable,
    StatedRange,
    WorkAssumptions,
    WorkforceStatement,
)
from pilotbase.roadmap.employment import (
    TaskWords,
    activity,
    departs,
    expected_people,
    exposures,
    freed_work,
    hull,
    leontief,
    read_labels,
    require_reproduced,
    tell_occupations,
)

SHARED = "shared/data/workforce/gpts_are_gpts"
"""Beside the checkout or above it; the test skips where it is not."""
HEADER = "\tO*NET-SOC Code\tTask ID\tTask\tTask Type\tTitle\thuman_labels\tgpt4_exposure\n"
ROW = "0\t43-9021.00\t8823.0\tEnter data from forms.\tCore\tData Entry Keyers\tE1\tE2\n"
LABELS = st.sampled_from(["E0", "E1", "E2"])


def tasks(*labels, core=True, title="Enter data from forms"):
    return [{"number": str(n), "title": title, "core": core, "labels": one} for n, one in enumerate(labels)]


def table(**occupations):
    found = [{"code": f"soc:{code}", "title": code, **value} for code, value in occupations.items()]
    return OccupationTable.model_validate({"source": "test", "licence": "none", "raters": ["a"], "occupations": found})


@pytest.fixture(scope="module")
def published():
    found = next((one / SHARED for one in Path(__file__).parents if (one / SHARED).exists()), None)
    if found is None:
        pytest.skip("the published labels are not on this machine")
    return read_labels(found / "full_labelset.tsv", found / "occ_level.csv", "Eloundou et al. 2023", "MIT")


def test_the_published_shares_are_reproduced_to_three_digits(published):
    told = tell_occupations(published)
    assert (told.occupations, told.tasks, told.reproduced) == (923, 19_265, 923 * 6)
    rows = {(one.rater, one.measure): one for one in told.shares}
    means = [round(rows["human", one].occupations, 3) for one in ("alpha", "beta", "gamma")]
    assert means == [0.144, 0.303, 0.461]
    assert [round(rows["gpt-4", one].occupations, 3) for one in ("alpha", "beta", "gamma")] == [0.142, 0.345, 0.548]
    assert [round(rows["human", one].tasks, 3) for one in ("alpha", "beta", "gamma")] == [0.149, 0.308, 0.468]
    assert [round(rows["gpt-4", one].tasks, 3) for one in ("alpha", "beta", "gamma")] == [0.140, 0.348, 0.556]
    assert [round(rows[rater, "beta"].tenth, 3) for rater in ("human", "gpt-4")] == [0.762, 0.817]
    assert [round(rows[rater, "beta"].half, 3) for rater in ("human", "gpt-4")] == [0.217, 0.271]
    assert (round(told.agree, 3), round(told.kappa, 3)) == (0.656, 0.437)


def test_most_occupations_have_no_path_to_a_less_exposed_one(published):
    words = TaskWords(published)
    found = [words.paths(one) for one in published.occupations[::9]]
    assert 0.1 < np.mean([bool(one) for one in found]) < 0.3
    keyers = words.find("soc:43-9021.00")
    for path in words.paths(keyers):
        there = hull(words.find(path.code), published.raters)
        assert path.overlap >= 0.2 and path.shared and there.high < hull(keyers, published.raters).high


@given(st.lists(st.tuples(LABELS, st.booleans()), min_size=1, max_size=30))
@settings(deadline=None)
def test_exposure_is_the_weighted_share_of_labels(rows):
    """Counted a second way: label → weight, then α, β and γ from the three sums."""
    value = [{"number": str(n), "title": "x", "core": core, "labels": [label]} for n, (label, core) in enumerate(rows)]
    occupation = Occupation.model_validate({"code": "soc:1", "title": "x", "tasks": value})
    weight = Counter()
    for label, core in rows:
        weight[label] += 2 if core else 1
    whole, found = sum(weight.values()), exposures(occupation, ["a"])
    assert found["a.alpha"] == pytest.approx(weight["E1"] / whole)
    assert found["a.beta"] == pytest.approx((weight["E1"] + weight["E2"] / 2) / whole)
    assert found["a.gamma"] == pytest.approx((weight["E1"] + weight["E2"]) / whole)
    assert hull(occupation, ["a"]).low == pytest.approx(found["a.alpha"])


def test_a_published_value_that_the_labels_do_not_give_is_refused():
    value = {"tasks": tasks(["E1"], ["E0"]), "published": {"a.alpha": 0.5}}
    assert require_reproduced(table(**{"11-1": value})) == 1
    value["published"] = {"a.alpha": 0.51}
    with pytest.raises(InputError, match=r"0\.510000.*0\.500000"):
        require_reproduced(table(**{"11-1": value}))


def test_an_unknown_code_is_refused_with_the_nearest():
    words = TaskWords(table(**{"43-9021.00": {"tasks": tasks(["E1"])}, "11-1011.00": {"tasks": tasks(["E0"])}}))
    with pytest.raises(InputError, match=r"43-9021\.00"):
        words.find("soc:43-9012.00")


def test_paths_lead_to_like_tasks_that_are_less_exposed_with_like_preparation():
    here = {"tasks": tasks(["E1"], title="Enter data from paper forms"), "zone": 2}
    near = {"tasks": tasks(["E0"], title="Check data from paper forms"), "zone": 3}
    far = {"tasks": tasks(["E0"], title="Enter data from paper forms"), "zone": 5}
    exposed = {"tasks": tasks(["E1"], title="Enter data from paper forms")}
    unlike = {"tasks": tasks(["E0"], title="Weld steel pipes overhead")}
    words = TaskWords(table(**{"1": here, "2": near, "3": far, "4": exposed, "5": unlike}))
    assert [one.code for one in words.paths(words.find("soc:1"))] == ["soc:2"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("code,title\n1,2\n", "Columns are missing"),
        (HEADER, "has no tasks"),
        (HEADER + ROW + ROW.replace("E1", "E9"), '3 human_labels: "E9" is none of E0, E1 and E2'),
        (HEADER + ROW.replace("43-9021.00", "0439021"), '2 O*NET-SOC Code: "0439021" is no O*NET-SOC code'),
        (HEADER + ROW + "1\t43-9021.00\n", "3: The line has more or fewer cells"),
        (HEADER + ROW.replace("Enter data from forms.", ""), "2 Task: The cell is empty"),
    ],
)
def test_a_broken_table_names_the_line(tmp_path, content, said):
    file = tmp_path / "labels.tsv"
    file.write_text(content)
    with pytest.raises(InputError) as caught:
        read_labels(file, None, "test", "none")
    assert said in caught.value.render()


def sectors(**changes):
    value = {
        "source": "two sectors", "region": "CN", "year": 2023, "unit": "million",
        "sectors": [{"code": "a", "title": "A", "output": 1000, "people": 500},
                    {"code": "b", "title": "B", "output": 2000}],
        "flows": [[150, 500], [200, 100]],
    }  # fmt: skip
    return SectorTable.model_validate(value | changes)


def test_activity_is_that_of_leontief():
    assert leontief(sectors()) == pytest.approx(np.array([[1.2541, 0.3300], [0.2640, 1.1221]]), abs=1e-4)
    spent = {"a": StatedRange(low=600, high=600), "b": StatedRange(low=1500, high=1500)}
    found = {one.code: one for one in activity(sectors(), spent)}
    assert (found["a"].output.low, found["b"].output.high) == pytest.approx((1247.5, 1841.6), abs=0.1)
    assert found["a"].people.low == pytest.approx(623.76, abs=0.1) and found["b"].people is None


def test_tables_that_are_no_economy_are_refused():
    with pytest.raises(InputError, match="use up at least as much"):
        leontief(sectors(flows=[[900, 900], [900, 1900]]))
    with pytest.raises(InputError, match="no sector c"):
        activity(sectors(), {"c": StatedRange(low=1, high=1)})
    with pytest.raises(ValueError, match="flows"):
        sectors(flows=[[1, 2]])


def test_hours_follow_from_what_has_a_source_and_the_rest_is_unknown():
    assumed = {
        "minutes_per_case": {"low": 2.1, "high": 2.9, "source": "time study"},
        "cases_per_year": {"low": 150_000, "high": 150_000, "source": "log"},
        "hours_per_year": {"low": 1800, "high": 2000, "source": "rules"},
        "share_redeployed": {"low": 0.5, "high": 1, "source": "agreement"},
    }
    found = freed_work(WorkAssumptions.model_validate(assumed))
    assert (found.hours.low, found.hours.high) == (5250, 7250)
    assert (found.posts.low, found.posts.high) == (5250 / 2000, 7250 / 1800)
    assert found.displaced_at_most == found.posts.high / 2 and not found.unknown
    assumed["minutes_per_case"]["source"] = " "
    found = freed_work(WorkAssumptions.model_validate(assumed))
    assert (found.hours, found.posts, found.displaced_at_most) == (None, None, None)
    assert "without a source" in found.unknown[0].render()
    assert len(freed_work(WorkAssumptions()).unknown) == 4


def test_staffing_departs_on_the_second_report_outside():
    expected = expected_people(40, StatedRange(low=0, high=2), StatedRange(low=1, high=1))
    assert (expected.low, expected.high) == (39, 41)
    assert expected_people(40, None, StatedRange(low=1, high=1)) is None
    assert not departs([True, False, True]) and departs([False, True, True]) and not departs([None, None])


@pytest.mark.parametrize(
    "changes",
    [
        {"occupations": [{"code": "4132"}]},
        {"occupations": [{"code": "soc:1"}, {"code": "soc:1"}]},
        {"occupations": [{"code": "soc:1", "displaced": {"low": 2, "high": 1}}]},
        {"assumptions": {"share_redeployed": {"low": 0, "high": 1.5}}},
    ],
)
def test_statements_that_contradict_themselves_are_refused(changes):
    with pytest.raises(ValueError):
        WorkforceStatement.model_validate({"stated_on": "2026-12-01", **changes})
