"""A private profile: bounded by the contract, true within its stated error, and the same whoever one unit is."""

import numpy as np
import polars as pl
import pydantic
import pytest

from pilotbase.data.private.profiling import Units, count, plan, profile, split, unit_of
from pilotbase.documents.errors import InputError
from pilotbase.documents.private import PrivateProfile
from tests.data.private.closed_for_tests import described, question, runs, table_of

LARGE = 100_000_000  # ε = 100: next to no noise


@pytest.fixture(scope="module")
def data():
    return runs()


def counted(dataset, frame, asked):
    table = table_of(dataset, frame)
    return count(Units(table, unit_of(table.record_set, asked)).training(asked.holdout), plan(table.record_set, asked))


def apart(one, other):
    """Return by how much each part differs, in L1."""
    yield "rows", abs(one.rows - other.rows)
    for name in one.cells:
        yield name, int(np.abs(one.cells[name] - other.cells[name]).sum())
    for name in one.pairs:
        yield name, int(np.abs(one.pairs[name] - other.pairs[name]).sum())
    for name in one.sums:
        yield f"sum {name}", abs(one.sums[name] - other.sums[name])


@pytest.mark.one_in(4)
@pytest.mark.parametrize("holdout", [False, True])
@pytest.mark.parametrize(
    ("group", "at_most"), [(None, 1), pytest.param("machine", 1, marks=pytest.mark.prove), ("machine", 3)]
)
def test_one_unit_changes_no_part_by_more_than_its_noise_is_made_for(group, at_most, holdout):
    dataset, frame = described(group), runs(200)
    asked = question(dataset, at_most=at_most, holdout=holdout)
    noise = plan(dataset.record_sets[0], asked).noise
    whole = counted(dataset, frame, asked)
    column = group or "id"
    changed = []
    for unit in frame[column].unique(maintain_order=True)[:25]:
        without = counted(dataset, frame.filter(pl.col(column) != unit), asked)
        for name, found in apart(whole, without):
            part = noise.mean if str(name).startswith("sum ") else noise.rows if name == "rows" else noise.cells
            assert found <= part.sensitivity, (unit, name)
            changed.append(found)
    assert max(changed) > 0


def test_a_group_of_many_records_counts_with_those_that_are_declared():
    dataset = described("machine")
    frame = runs(300).with_columns(machine=pl.lit("the only one"))
    assert counted(dataset, frame, question(dataset, at_most=7)).rows == 7
    assert counted(dataset, frame.with_columns(machine=pl.lit(None, pl.String)), question(dataset)).rows == 0


def test_a_group_is_set_aside_whole():
    dataset = described("machine")
    asked = question(dataset, at_most=100, holdout=True)
    table = table_of(dataset, runs(2000))
    units = Units(table, unit_of(table.record_set, asked))
    training, holdout = (
        set(part.frame.select("machine").collect()["machine"])
        for part in (units.training(holdout=True), units.holdout())
    )
    assert training.isdisjoint(holdout)
    assert training | holdout == set(runs(2000)["machine"])
    assert 0.1 < len(holdout) / len(training | holdout) < 0.3


def test_figures_are_true_within_their_error(data):
    dataset, inside, parts = described(), 0, 0
    table = table_of(dataset, data)
    true = counted(dataset, data, question(dataset))
    means = {"torque": data["torque"].fill_nan(None).mean(), "wear": data["wear"].mean()}
    for _ in range(5):
        found = profile(table, question(dataset))
        for field in found.fields:
            for place, cell in enumerate(field.cells):
                if cell.count is not None:
                    inside += abs(cell.count - int(true.cells[field.field][place])) <= field.noise.error
                    parts += 1
            if field.mean is not None:
                assert abs(field.mean.value - means[field.field]) <= 4 * field.mean.error
                inside += abs(field.mean.value - means[field.field]) <= field.mean.error
                parts += 1
    assert parts > 150
    assert inside / parts > 0.87


def test_no_figure_comes_out_without_noise(data):
    dataset = described()
    asked = question(dataset, epsilon=200_000, cell_size=10)
    table, true = table_of(dataset, data), counted(dataset, data, asked)
    one, other = profile(table, asked), profile(table, asked)
    for part in (figures_of(one), figures_of(other), true_figures(true)):
        assert part.keys() == figures_of(one).keys()
    for name, told in figures_of(one).items():
        for others in (figures_of(other)[name], true_figures(true)[name]):
            same = [a == b for a, b in zip(told, others, strict=True) if a is not None and b is not None]
            assert sum(same) <= max(0.25 * len(same), 1), name
    equal = [one.field(name).mean.value == other.field(name).mean.value for name in ("torque", "wear")]
    assert equal == [False, False]


def figures_of(found):
    """Return part → its counts as told; the number of rows beside those of the first field."""
    told = {one.field: [*(cell.count for cell in one.cells), one.outside, one.missing] for one in found.fields}
    told["kind"] = [found.rows, *told["kind"]]
    return told | {(one.first, one.second): [count for row in one.counts for count in row] for one in found.pairs}


def true_figures(true):
    told = {name: cells.tolist() for name, cells in true.cells.items()}
    told["kind"] = [true.rows, *told["kind"]]
    return told | {names: cells[:-1].ravel().tolist() for names, cells in true.pairs.items()}


def test_with_much_budget_it_is_the_data(data):
    dataset = described()
    found = profile(table_of(dataset, data), question(dataset, epsilon=LARGE))
    assert abs(found.rows - 4000) <= 5
    assert found.field("torque").missing == pytest.approx(data["torque"].is_nan().sum(), abs=5)
    assert found.field("wear").mean.value == pytest.approx(data["wear"].mean(), abs=1)
    median = next(one.value for one in found.field("wear").quantiles if one.share == 0.5)
    assert median == pytest.approx(data["wear"].median(), abs=8)
    (hot,) = (one for one in found.pairs if one.second == "hot")
    both = data.filter((pl.col("failed") == "true") & (pl.col("hot") == "true")).height
    assert hot.counts[1][1] == pytest.approx(both, abs=5)


def test_nothing_is_learnt_from_the_values(data):
    dataset = described()
    altered = data.with_columns(
        kind=pl.when(pl.col("id") < "M000100").then(pl.lit("Secret-alloy")).otherwise("kind"),
        torque=pl.when(pl.col("id") < "M000100").then(-98765.4).otherwise("torque"),
    )
    found = profile(table_of(dataset, altered), question(dataset, epsilon=LARGE))
    written = found.canonical().decode()
    assert "alloy" not in written
    assert "98765" not in written
    assert "secret" not in written
    assert (found.field("kind").outside, found.field("torque").outside) == (pytest.approx(100, abs=9),) * 2
    edges = [(cell.low, cell.high) for cell in found.field("torque").cells]
    assert (edges[0][0], edges[-1][1]) == (0, 100)
    assert {one.field for one in found.left_out} == {"id", "machine", "taken", "remark"}


def test_small_cells_are_suppressed_after_the_noise(data):
    dataset = described()
    for epsilon in (1_000_000, 2_000_000, LARGE):
        found = profile(table_of(dataset, data), question(dataset, cell_size=50, epsilon=epsilon))
        told = [cell.count for field in found.fields for cell in field.cells]
        told += [count for pair in found.pairs for row in pair.counts for count in row]
        assert all(count is None or count >= 50 for count in told)
        rest = [found.rows, *(end for one in found.fields for end in (one.outside, one.missing))]
        assert found.suppressed == [*told, *rest].count(None)
    assert found.field("kind").cells[2].count is None  # H: four records


def test_the_parts_spend_no_more_than_the_whole(data):
    dataset = described()
    for epsilon in (999_999, 1_000_000, 123_457):
        found = profile(table_of(dataset, data), question(dataset, epsilon=epsilon))
        assert sum(one.epsilon for one in found.noises) <= epsilon
        assert sum(one.epsilon for one in found.noises) > 0.999 * epsilon
    spent = found.to_json_value()
    spent["question"]["epsilon"] = 100_000
    with pytest.raises(ValueError, match="spend"):
        PrivateProfile.from_json_value(spent)


def test_too_little_is_refused_before_anything_is_counted():
    with pytest.raises(InputError, match="divided"):
        split(5, 1, 3, 1, 2)
    dataset = described(recordSet=[{"name": "runs", "field": [{"name": "remark", "dataType": "sc:Text"}]}])
    with pytest.raises(InputError, match="declares neither"):
        plan(dataset.record_sets[0], question(dataset))


def taken(frame, spelled):
    """Return the runs as they were taken at these times, in turn."""
    return frame.with_columns(
        taken=pl.Series([spelled[at % len(spelled)] for at in range(frame.height)], dtype=pl.String)
    )


def test_times_are_counted_by_months_or_years_that_the_question_gives(data):
    dataset = described()
    frame = taken(data, ["2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2026-02-28T12:00:00Z", "2031-01-01", None])
    months = question(dataset, dates=[{"field": "taken", "first": "2025-12", "last": "2026-02"}], epsilon=LARGE)
    found = profile(table_of(dataset, frame), months).field("taken")
    each = data.height // 5
    assert [one.value for one in found.cells] == ["2025-12", "2026-01", "2026-02"]
    for count_ in (*(one.count for one in found.cells), found.outside, found.missing):
        assert abs(count_ - each) <= found.noise.error + 3  # beyond that once in 10⁹ runs
    assert found.mean is None and found.quantiles == ()
    years = question(dataset, dates=[{"field": "taken", "first": "1990", "last": "2026"}], epsilon=LARGE)
    told = {one.value: one.count for one in profile(table_of(dataset, frame), years).field("taken").cells}
    assert list(told)[:1] == ["1990"] and len(told) == 37
    assert abs(told["2026"] - 2 * each) < 50 and abs((told["2025"] or 0) - each) < 50


def test_one_record_more_changes_one_month(data):
    dataset = described()
    asked = question(dataset, dates=[{"field": "taken", "first": "2026-01", "last": "2026-12"}])
    frame = taken(data.head(200), ["2026-03-01", "2026-04-30T23:00:00Z", "2027-01-01", None])
    whole = counted(dataset, frame, asked)
    for row in range(8):
        without = counted(dataset, frame.filter(pl.col("id") != frame["id"][row]), asked)
        assert int(np.abs(whole.cells["taken"] - without.cells["taken"]).sum()) == 1


def test_without_given_months_times_are_left_out_and_the_question_is_the_same_as_ever():
    dataset = described()
    asked = question(dataset)
    assert "dates" not in asked.to_json_value()
    assert "taken" in {one.field for one in plan(dataset.record_sets[0], asked).left_out}


@pytest.mark.parametrize("name", ["wear", "nothing", "id"])
def test_months_are_counted_of_times_alone(name):
    dates = [{"field": name, "first": "2020", "last": "2026"}]
    with pytest.raises(InputError) as caught:
        plan(described().record_sets[0], question(described(), dates=dates))
    assert caught.value.code == "private.no_dates" and "taken" in caught.value.render("zh")


@pytest.mark.parametrize(("first", "last"), [("2026-05", "2026-04"), ("2026", "2026-04"), ("2020-01", "2026-04")])
def test_a_range_that_is_none_or_too_long_is_no_question(first, last):
    with pytest.raises(pydantic.ValidationError, match="at most 64"):
        question(described(), dates=[{"field": "taken", "first": first, "last": last}])
