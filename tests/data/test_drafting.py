import datetime as dt
import io

import numpy as np
import polars as pl
import pytest

from pilotbase.data.column_guesses import guess_unit
from pilotbase.data.conform import conform
from pilotbase.data.describing.observing import observe
from pilotbase.data.drafting import DraftAnswers, draft_scenario, write_scenario_yaml
from pilotbase.data.sources.source import SourceTable, missing_as_null
from pilotbase.data.splits import split_cases
from pilotbase.data.thresholds import WORTH_IT, propose_regression, propose_two_classes
from pilotbase.documents.contract import DataType
from pilotbase.documents.errors import InputError
from pilotbase.documents.loading import load_document
from pilotbase.documents.moments import DateOrder
from pilotbase.documents.scenario import GroupSplit, HashSplit, Scenario, TimeSplit
from pilotbase.documents.steps import Step, missing_for
from pilotbase.worker.intake.drafting import new_scenario

ROWS = 600
RANDOM = np.random.default_rng(0)
HEAT = RANDOM.normal(60, 10, ROWS).round(2)
CASES = pl.DataFrame(
    {
        "row": list(range(1, ROWS + 1)),
        "case_id": [f"c{index * 7 % 1000}" for index in range(ROWS)],
        "machine": [f"m{index % 30}" for index in range(ROWS)],
        "site": [f"s{index % 4}" for index in range(ROWS)],
        "at": [f"2026-01-{1 + index // 25:02d}T08:00:00Z" for index in range(ROWS)],
        "temp_c": [str(value) for value in HEAT],
        "功率（kW）": [str(index % 97) if index % 11 else "NA" for index in range(ROWS)],
        "running": ["yes" if index % 2 else "no" for index in range(ROWS)],
        "postcode": [f"0{index % 90 + 10}" for index in range(ROWS)],
        "repair": ["done" if heat > 72 else "" for heat in HEAT],
        "unused": ["x"] * ROWS,
        "failed": [
            "1" if heat + noise > 72 else "0" for heat, noise in zip(HEAT, RANDOM.normal(0, 3, ROWS), strict=True)
        ],
        "output": [f"{heat * 3 + noise:.2f}" for heat, noise in zip(HEAT, RANDOM.normal(0, 5, ROWS), strict=True)],
    }
)


@pytest.fixture
def draft(tmp_path):
    def make(cases=CASES, name="Pump Failures.csv", **answers):
        cases.write_csv(tmp_path / name)
        given = {"problem": "泵故障难以预知", "target": "failed", "group_or_time": None}
        given |= {"cost_of_miss": 100, "cost_of_false_alarm": 10, "contact": "River Water, ops@river.example"}
        return draft_scenario(tmp_path / name, DraftAnswers(**(given | answers)))

    return make


def test_six_answers_make_a_scenario_that_can_be_frozen(draft):
    found = draft()
    scenario = found.scenario
    assert found.missing == () == missing_for(scenario, Step.FREEZE)
    assert (scenario.name, scenario.owner.organisation) == ("pump-failures", "river-water")
    assert scenario.problem.zh == "泵故障难以预知"
    assert (scenario.task, scenario.positive, scenario.baseline.value) == ("classification", "true", "false")
    assert scenario.data.key == "case_id"
    types = {field.name: field.data_type for field in scenario.data.fields}
    assert types["temp_c"] is DataType.FLOAT
    assert types["功率（kW）"] is DataType.INTEGER
    assert types["running"] is types["failed"] is DataType.BOOLEAN
    assert types["at"] is DataType.DATETIME
    assert types["postcode"] is DataType.TEXT
    assert (scenario.field("temp_c").unit, scenario.field("功率（kW）").unit) == ("°C", "kW")
    assert scenario.data.missing == ("", "NA")
    assert isinstance(scenario.data.split, HashSplit)
    assert [str(criterion.parsed()).split(" ")[0] for criterion in scenario.criteria] == [
        "recall(true)",
        "precision(true)",
        "latency.p95",
        "memory.peak",
    ]
    assert all(criterion.why.en and criterion.why.zh for criterion in scenario.criteria)
    for sentence in found.decided:
        assert sentence.render("en") != sentence.render("zh")


def test_what_cannot_be_known_in_time_is_withheld_and_said(draft):
    leak = CASES.with_columns(outcome=pl.when(pl.col("failed") == "1").then(pl.lit("burst")).otherwise(pl.lit("fine")))
    found = draft(leak)
    assert set(found.scenario.data.withheld) >= {"row", "unused", "outcome"}
    assert "temp_c" not in found.scenario.data.withheld
    assert any("outcome alone gives the answer away" in sentence.render() for sentence in found.decided)


def test_groups_stay_together_and_are_not_shown(draft):
    machines = draft(group_or_time="machine").scenario
    assert machines.data.split == HashSplit(hidden=0.5, by="machine")
    assert "machine" in machines.unseen
    sites = draft(group_or_time="site").scenario
    assert isinstance(sites.data.split, GroupSplit)
    assert len(sites.data.split.hidden) == 1


def test_a_time_column_hides_the_end(draft):
    found = draft(group_or_time="at").scenario
    assert isinstance(found.data.split, TimeSplit)
    assert found.data.split.hidden_from == "2026-01-17T08:00:00Z"
    assert "at" not in found.unseen


def test_numbers_are_drafted_as_a_regression(draft):
    found = draft(target="output", cost_of_false_alarm=0).scenario
    assert found.task == "regression"
    assert found.positive is None
    assert found.criteria[0].parsed().measure == "capped_mae"
    truth = CASES["output"].cast(pl.Float64)
    assert abs(found.baseline.value - truth.median()) < truth.std() / 5
    errors = (truth - truth.median()).abs()
    assert float(found.criteria[0].parsed().threshold) == pytest.approx(0.8 * errors.mean(), rel=0.15)


def test_many_classes_are_asked_for_accuracy(draft):
    kinds = CASES.with_columns(kind=pl.Series(["a"] * 300 + ["b"] * 200 + ["c"] * 100))
    found = draft(kinds, target="kind").scenario
    assert found.baseline.value == "a"
    assert found.criteria[0].parsed().measure == "accuracy"
    assert 0.56 <= float(found.criteria[0].parsed().threshold) <= 0.66


@pytest.mark.parametrize("group", [None, "machine", "site", "at"])
@pytest.mark.parametrize("target", ["failed", "output"])
def test_the_yaml_reads_back_to_the_same_document(draft, tmp_path, group, target):
    scenario = draft(group_or_time=group, target=target).scenario
    path = tmp_path / "scenario.yaml"
    path.write_text(write_scenario_yaml(scenario), "utf-8")
    assert load_document(Scenario, path, Step.FREEZE) == scenario
    assert "CONFIRM" in path.read_text("utf-8")
    assert "请确认" in path.read_text("utf-8")


@pytest.mark.parametrize(
    "label",
    ["no", "1e5", "2026-01-01", "null", "~", "a: b", "# x", "0x1f", "1_000", "是", "on", "'", '"', "-", "12:30"],
)
def test_awkward_texts_survive_the_yaml(draft, tmp_path, label):
    scenario = draft().scenario
    data = scenario.data.model_copy(update={"missing": ("", label)})
    scenario = scenario.model_copy(update={"positive": label, "problem": f"{label}\nsecond line", "data": data})
    path = tmp_path / "scenario.yaml"
    path.write_text(write_scenario_yaml(scenario), "utf-8")
    assert load_document(Scenario, path) == scenario


def test_all_wrong_answers_are_named_at_once(draft):
    with pytest.raises(InputError) as caught:
        draft(problem=" ", target="fialed", group_or_time="Machine", cost_of_miss=-1, contact="")
    assert {issue.path for issue in caught.value.issues} == {
        "problem",
        "target",
        "group_or_time",
        "cost_of_miss",
        "contact",
    }
    assert all(issue.render("en") != issue.render("zh") for issue in caught.value.issues)


@pytest.mark.parametrize(
    ("change", "answers", "code"),
    [
        ({}, {"cost_of_miss": 0}, "draft.no_cost"),
        ({"failed": ["1"] * ROWS}, {}, "draft.constant_target"),
        (
            {"failed": [f"2026-{1 + index % 12:02}-{1 + index // 12 % 28:02}" for index in range(ROWS)]},
            {},
            "draft.no_classes",
        ),
    ],
)
def test_what_cannot_be_drafted_says_why(draft, change, answers, code):
    with pytest.raises(InputError) as caught:
        draft(CASES.with_columns(**{name: pl.Series(values) for name, values in change.items()}), **answers)
    assert caught.value.code == code
    assert caught.value.render("en") != caught.value.render("zh")


def test_a_target_of_many_texts_is_drafted_as_questions_to_answer(draft):
    notes = [f"valve {index % 90}" for index in range(ROWS)]
    drafted = draft(CASES.with_columns(failed=pl.Series(notes)))
    scenario = drafted.scenario
    assert (scenario.task, scenario.answer, scenario.positive) == ("answering", "text", None)
    assert scenario.criteria[0].rule.startswith("exact_match >= 0.2") and scenario.baseline.value in notes
    said = [sentence.render("zh") for sentence in drafted.decided]
    assert any("文本" in sentence for sentence in said) and not drafted.missing


def test_missing_targets_and_tiny_files_are_refused(draft):
    with pytest.raises(InputError) as caught:
        draft(CASES.head(10).with_columns(failed=pl.Series(["1", ""] * 5)))
    assert {issue.problem.code for issue in caught.value.issues} == {"draft.missing_values", "draft.few_cases"}


def test_a_parquet_file_is_drafted_by_its_types(tmp_path):
    cases = CASES.select("temp_c", "failed").with_columns(
        pl.col("temp_c").cast(pl.Float64), pl.col("failed") == "1", tags=pl.lit([1, 2]), day=dt.date(2026, 1, 1)
    )
    cases.write_parquet(tmp_path / "泵.parquet")
    answers = DraftAnswers("Pumps fail", "failed", None, 2, 1, "值班室")
    found = draft_scenario(tmp_path / "泵.parquet", answers).scenario
    assert found.name.startswith("failed-") and found.owner.organisation == "owner"
    assert [field.name for field in found.data.fields] == ["temp_c", "failed", "day"]
    assert [field.name for field in found.feature_fields] == ["temp_c"]


@pytest.mark.parametrize("share", [0.001, 0.034, 0.3, 0.5])
@pytest.mark.parametrize("ratio", [0.1, 1, 10, 1000])
def test_whoever_meets_the_thresholds_costs_a_fifth_less(share, ratio):
    """Every application that just meets both criteria costs at most 80 % of the cheapest constant answer."""
    proposal = propose_two_classes(share, "yes", "no", miss=ratio, false_alarm=1.0)
    recall, precision = (float(criterion.parsed().threshold) for criterion in proposal.criteria[:2])
    cost = share * (1 - recall) * ratio + share * recall * (1 / precision - 1)
    constant = {"no": share * ratio, "yes": 1 - share}
    assert proposal.baseline.value == min(constant, key=constant.__getitem__)
    reachable = recall < 0.99 and precision < 0.99  # thresholds end at 0.99
    assert cost <= WORTH_IT * min(constant.values()) + 1e-9 or not reachable
    assert recall > 0
    assert 0 < precision <= 0.99


@pytest.mark.parametrize("scale", [1e-4, 1.0, 3e6])
def test_a_regression_threshold_is_a_fifth_below_the_median_answer(scale):
    truth = RANDOM.normal(10, 2, 5000) * scale
    truth[:5] *= 1000
    proposal = propose_regression(truth, "MW")
    rule = proposal.criteria[0].parsed()
    cap = float(rule.arguments["cap"])
    errors = np.minimum(np.abs(truth - np.median(truth)), cap)
    assert cap < 20 * scale
    assert 0.78 * errors.mean() <= float(rule.threshold) <= 0.8 * errors.mean()


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("power [MW]", "MW"),
        ("功率（MW）", "MW"),
        ("speed (rpm)", "rpm"),
        ("temp_c", "°C"),
        ("shaft_speed_rpm", "rpm"),
        ("dist_m", "m"),
        ("wait time s", "s"),
        ("torque_Nm", "N·m"),
        ("humidity_pct", "%"),
        ("sensor_a", None),
        ("vitamin_c", None),
        ("age", None),
        ("km", None),
    ],
)
def test_units_are_read_from_names(name, unit):
    assert guess_unit(name) == unit


@pytest.mark.parametrize(
    ("values", "data_type"),
    [
        (["1", "2"], DataType.INTEGER),
        (["1", "2.5"], DataType.FLOAT),
        (["007", "120"], DataType.TEXT),
        (["0", "0.5"], DataType.FLOAT),
        (["true", "False"], DataType.BOOLEAN),
        (["是", "否"], DataType.BOOLEAN),
        (["0", "1"], DataType.INTEGER),
        (["2026-01-02", "2026/1/3"], DataType.DATE),
        (["2026-01-02", "2026-01-02 08:00"], DataType.DATETIME),
        (["a", "1"], DataType.TEXT),
        ([None, None], DataType.TEXT),
    ],
)
def test_types_are_read_from_values(values, data_type):
    (column,) = seen(x=values)
    assert column.as_field().data_type is data_type


def seen(**columns):
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    return observe(SourceTable("t", frame.lazy(), frame.height, "t.csv"))


def test_missing_spellings_are_only_those_in_columns_of_numbers():
    found = seen(a=["1", "NA", "2"], b=["none", "co-applicant", "x"], c=["?", "x", "y"])
    assert [one.spellings for one in found] == [("NA",), (), ()]


@pytest.mark.parametrize(
    ("values", "data_type"),
    [(["yes", "no"], DataType.TEXT), (["True", "false"], DataType.BOOLEAN), (["0", "1"], DataType.BOOLEAN)],
)
def test_words_of_a_target_are_kept(values, data_type):
    (column,) = seen(x=values)
    assert column.as_field(target=True).data_type is data_type


def test_a_target_that_is_not_all_of_one_type_is_text():
    (column,) = seen(x=[*["1", "2"] * 30, "fault"])
    assert (column.as_field().data_type, column.as_field(target=True).data_type) == (DataType.INTEGER, DataType.TEXT)


DAYS = ["2026-01-05"] * 18
MIXED = {
    "iso and two others": ([*DAYS, "05.01.2026", "1/5/2026"], "1: 2026-01-05, 19: 05.01.2026, 20: 1/5/2026"),
    "two that are no days": ([*DAYS, "2026-02-30", "2026-02-31"], "1: 2026-01-05, 19: 2026-02-30"),
    "none that is read": (["05-01-26"] * 20, "1: 05-01-26"),
    "words among them": ([*DAYS, "tomorrow", "soon"], "1: 2026-01-05, 19: tomorrow"),
}


@pytest.mark.parametrize("kind", MIXED)
def test_dates_that_are_taken_as_text_are_said_with_the_first_row_of_each_form(draft, kind):
    written, forms = MIXED[kind]
    found = draft(CASES.with_columns(bought=pl.Series(written * (ROWS // 20))))
    assert found.scenario.field("bought").data_type is DataType.TEXT
    (told,) = [sentence for sentence in found.decided if sentence.code == "draft.decided.dates_as_text"]
    assert told.params == {"column": "bought", "forms": forms}
    assert forms in told.render("zh") and "taken as text" in told.render("en")


def test_few_that_are_no_days_are_named_and_read_as_missing(draft):
    found = draft(CASES.with_columns(bought=pl.Series([*DAYS, "2026-02-30", "2026-01-06"] * (ROWS // 20))))
    assert found.scenario.field("bought").data_type is DataType.DATE
    (told,) = [sentence for sentence in found.decided if sentence.code == "source.taken.misfits"]
    assert told.params["count"] == ROWS // 20 and told.params["rows"].startswith("19: '2026-02-30', 39: ")
    assert pl.read_csv(io.BytesIO(found.cases))["bought"].null_count() == ROWS // 20


def test_a_day_that_contradicts_the_owner_is_named_and_read_as_missing(draft):
    days = [f"{1 + row % 12:02d}/{1 + row * 7 % 12:02d}/2026" for row in range(ROWS)]
    table = CASES.with_columns(bought=pl.Series([*days[1:], "31/12/2026"]))
    found = draft(table, dates=DateOrder.MONTH_FIRST)
    assert found.scenario.field("bought").data_type is DataType.DATE
    (told,) = [sentence for sentence in found.decided if sentence.code == "source.taken.misfits"]
    assert told.params["rows"] == f"{ROWS}: '31/12/2026'"
    with pytest.raises(InputError) as refused:
        draft(table, dates=DateOrder.MONTH_FIRST, group_or_time="bought")
    assert [issue.problem.code for issue in refused.value.issues] == ["draft.time_unread"]


@pytest.mark.parametrize("written", [["2026-01-05", "2026/1/6", "2026-01-07 08:00"] * 200, ["a1", "12/4 mm"] * 300])
def test_dates_that_are_read_and_words_that_are_none_are_not_spoken_of(draft, written):
    codes = {sentence.code for sentence in draft(CASES.with_columns(bought=pl.Series(written))).decided}
    assert "draft.decided.dates_as_text" not in codes


def test_codes_that_name_each_row_are_the_key_however_their_column_is_called(draft):
    coded = CASES.with_columns(part=pl.Series([f"P{row:05d}x" for row in range(ROWS)])).drop("case_id")
    assert draft(coded).scenario.data.key == "part"
    told = CASES.with_columns(note=pl.Series([f"part {row} is worn" for row in range(ROWS)])).drop("case_id")
    assert draft(told).scenario.data.key is None, "a text that differs from row to row is no name"
    days = [
        f"{day:02d}.{month:02d}.{year}" for year in range(2020, 2026) for month in range(1, 13) for day in range(1, 11)
    ]
    assert draft(CASES.with_columns(day=pl.Series(days[:ROWS])).drop("case_id")).scenario.data.key is None


def test_numbers_that_differ_in_every_row_are_asked_about(draft):
    numbered = CASES.with_columns(serial=pl.Series([100_000 + row * 7 % 9973 for row in range(ROWS)])).drop("case_id")
    found = draft(numbered)
    assert found.scenario.data.key is None and "serial" not in found.scenario.data.withheld
    (told,) = [sentence for sentence in found.decided if sentence.code == "draft.decided.maybe_key"]
    assert told.params == {"columns": "serial"}, "row numbers are withheld and need no key"
    assert "draft.decided.maybe_key" not in {sentence.code for sentence in draft().decided}


STARTED = dt.date(2023, 1, 2)
WAYS = {
    "day first": lambda day: f"{day.day}/{day.month}/{day.year}",
    "month first": lambda day: f"{day.month:02d}-{day.day:02d}-{day.year} 08:30",
    "months": lambda day: f"{day:%Y-%m}",
    "weeks": lambda day: f"{day:%G-W%V}",
    "quarters": lambda day: f"{day.year}Q{(day.month + 2) // 3}",
    "quarters, dashed": lambda day: f"{day.year}-Q{(day.month + 2) // 3}",
    "named": lambda day: f"{day:%d %b %Y}",
    "chinese days": lambda day: f"{day.year}年{day.month}月{day.day}日",
    "chinese months": lambda day: f"{day.year}年{day.month}月",
    "chinese quarters": lambda day: f"{day.year}年第{'一二三四'[(day.month - 1) // 3]}季度",
    "compact": lambda day: f"{day:%Y%m%d}",
    "compact months": lambda day: f"{day:%Y%m}",
}


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_time_in_any_spelling_hides_the_end(draft, way, shuffled):
    """Whatever the column is called: every hidden case is later than every public one."""
    days = [STARTED + dt.timedelta(days=row) for row in range(ROWS)]
    table = CASES.drop("at").with_columns(seen=pl.Series([WAYS[way](day) for day in days]), day=pl.Series(days))
    table = table.sample(fraction=1, shuffle=True, seed=1) if shuffled else table
    found = draft(table, group_or_time="seen")
    assert isinstance(found.scenario.data.split, TimeSplit), found.decided
    cases = table if found.cases is None else pl.read_csv(io.BytesIO(found.cases), infer_schema=False)
    typed = conform(missing_as_null(cases, found.scenario.data.missing), found.scenario)
    parts = split_cases(typed, found.scenario)
    last, first = (
        table.filter(pl.col("case_id").is_in(one["case_id"].to_list())) for one in (parts.public, parts.hidden)
    )
    assert last["day"].max() < first["day"].min()
    assert 0.2 < first.height / ROWS < 0.5


def test_a_time_column_that_cannot_be_one_stops_the_draft(draft):
    """DD/MM or MM/DD, mixed forms, words: never a split by chance."""
    days = [f"{1 + row % 12:02d}/{1 + row * 7 % 12:02d}/2026" for row in range(ROWS)]
    for written, said, code in (
        (days, {}, "draft.date_order"),
        (["05.01.2026", "31/12/2026"] * 300, {}, "draft.time_unread"),
        (["13/01/2026", "01/13/2026"] * 300, {}, "draft.time_unread"),
        (["13/01/2026", "02/01/2026"] * 300, {"dates": DateOrder.MONTH_FIRST}, "draft.time_unread"),
        (["2026-01", "2026-01-05"] * 300, {}, "draft.time_unread"),
        (["2026年1月5日 上午9时", "2026年1月5日下午3点20分"] * 300, {}, "draft.time_unread"),
        (["spring", "summer"] * 300, {"is_time": True}, "draft.time_unread"),
    ):
        table = CASES.with_columns(seen=pl.Series(written))
        with pytest.raises(InputError) as told:
            draft(table, group_or_time="seen", **said)
        assert [issue.problem.code for issue in told.value.issues] == [code], written[:2]
        assert told.value.render("zh") != told.value.render("en")
    table = CASES.with_columns(seen=pl.Series(days))
    orders = {order: draft(table, group_or_time="seen", dates=order) for order in DateOrder}
    assert all(isinstance(found.scenario.data.split, TimeSplit) for found in orders.values())
    assert orders[DateOrder.DAY_FIRST].cases != orders[DateOrder.MONTH_FIRST].cases
    assert "draft.decided.date_order" in {sentence.code for sentence in draft(table).decided}, "a feature stays text"


def test_a_few_typing_errors_do_not_decide_the_order_of_dates(draft):
    days = [f"{1 + row % 12:02d}/{1 + row * 7 % 12:02d}/2026" for row in range(ROWS)]
    for errors in (1, ROWS // 25):
        for error in ("31/12/2026", "12/31/2026"):
            table = CASES.with_columns(seen=pl.Series([error] * errors + days[errors:]))
            with pytest.raises(InputError) as told:
                draft(table, group_or_time="seen")
            assert [issue.problem.code for issue in told.value.issues] == ["draft.date_order"]
            assert "draft.decided.date_order" in {sentence.code for sentence in draft(table).decided}
    decided = CASES.with_columns(seen=pl.Series(["31/12/2026"] * (ROWS // 10) + days[ROWS // 10 :]))
    assert isinstance(draft(decided, group_or_time="seen").scenario.data.split, TimeSplit)


SINCE = {"days": lambda day: day + 45_000, "seconds": lambda day: 1_700_000_000 + 86_400 * day}
SINCE |= {"milliseconds": lambda day: 1_700_000_000_000 + 86_400_000 * day}


@pytest.mark.parametrize("unit", SINCE)
def test_moments_that_are_numbers_are_time_where_rows_follow_them_and_else_told(draft, unit):
    numbers = [SINCE[unit](row // 4) for row in range(ROWS)]
    in_order, mixed = (CASES.with_columns(a=pl.Series(one)) for one in (numbers, numbers[::2] + numbers[1::2]))
    split = draft(in_order, group_or_time="a").scenario.data.split
    assert isinstance(split, TimeSplit)
    found = draft(mixed, group_or_time="a")
    assert found.scenario.data.split.by == "a"
    (told,) = [sentence for sentence in found.decided if sentence.code == "draft.split.maybe_time"]
    assert "--time a" in told.render("zh") and "2023-" in told.render("en")
    assert isinstance(draft(mixed, group_or_time="a", is_time=True).scenario.data.split, TimeSplit)


def test_parts_of_a_day_are_time_and_numbers_of_another_size_are_groups(draft):
    days = pl.Series([45_000 + (row * 7919 % ROWS) / 24 for row in range(ROWS)])
    assert isinstance(draft(CASES.with_columns(a=days), group_or_time="a").scenario.data.split, TimeSplit)
    found = draft(CASES.with_columns(a=pl.Series([900 + row % 50 for row in range(ROWS)])), group_or_time="a")
    assert "draft.split.by" in {sentence.code for sentence in found.decided}


@pytest.mark.parametrize("written", [["1,234", "2,500"], ["1,234", "900"]])
def test_numbers_with_two_readings_are_told(draft, written):
    found = draft(CASES.with_columns(amount=pl.Series(written * (ROWS // 2))))
    assert "such as 1,234 as 1234" in " ".join(sentence.render("en") for sentence in found.decided)


def test_the_order_of_rows_decides_unless_they_are_sorted_as_texts(draft):
    days = [dt.date(2020 + row // 144, 1 + row // 12 % 12, 1 + row % 12) for row in range(ROWS)]
    rising = CASES.with_columns(seen=pl.Series([f"{day:%d/%m/%Y}" for day in days]))
    found = draft(rising, group_or_time="seen").scenario
    assert found.data.split.hidden_from == str(sorted(days)[int(0.7 * (ROWS - 1))])
    with pytest.raises(InputError):
        draft(rising.sort("seen"), group_or_time="seen")


def test_a_table_in_the_order_of_time_says_that_the_split_is_not(draft):
    told = {sentence.code: sentence for sentence in draft().decided}
    assert told["draft.decided.rising_time"].params == {"column": "at"}
    assert "draft.decided.rising_time" not in {sentence.code for sentence in draft(group_or_time="at").decided}
    mixed = CASES.sample(fraction=1, shuffle=True, seed=1)
    assert "draft.decided.rising_time" not in {sentence.code for sentence in draft(mixed).decided}


@pytest.mark.parametrize("make", [
    lambda row: f"{row % 9 + 1}号机组轴承温度{row}度，需停机检查",
    lambda row: f"{'甲乙丙丁戊己庚辛壬癸'[row % 10]}{'东南西北中'[row // 10 % 5]}区{row}米处漏水",
    lambda row: f"泵{row}渗漏{'甲乙丙丁戊己庚辛壬癸'[row % 10]}{'东南西北中上下左右前后里外'[row % 13]}",
])  # fmt: skip
def test_chinese_texts_are_texts_and_chinese_codes_are_keys(draft, make):
    texts = pl.Series([make(row) for row in range(ROWS)])
    alone = pl.DataFrame({"描述": texts, "故障": CASES["failed"]})
    found = draft(alone, target="故障").scenario
    assert found.data.key is None
    assert [field.name for field in found.feature_fields] == ["描述"]
    coded = alone.with_columns(病历=pl.Series([f"{'内外妇儿'[row % 4]}科{row:05d}" for row in range(ROWS)]))
    assert draft(coded, target="故障").scenario.data.key == "病历"


LABELS = [("leak|rust", "leak", "", "leak")[row % 4] for row in range(200)]
BOXES = ['[["bolt", 1, 2, 3, 4]]', "[]", "[]", "[]"]
MASKS = ['{"size": [2, 2], "runs": [0, 4]}', '{"size": [2, 2], "runs": [0, 3, 1, 1]}']


@pytest.mark.parametrize(
    ("cells", "task", "rule", "baseline"),
    [
        (LABELS, "multilabel", "label_f1 >= 0.", "leak"),
        (BOXES * 50, "detection", "box_f1(iou=0.5) >= 0.", "[]"),
        (MASKS * 100, "segmentation", "mean_iou >= 0.", MASKS[0]),
        ([f"P{row % 70}|P{row * 3 % 71}" for row in range(200)], "ranking", "top_k(k=3) >= 0.", None),
        ([f"see page {row}" for row in range(200)], "answering", "exact_match >= 0.", None),
        ([f"a long | sentence {row}" if row < 5 else f"word {row}" for row in range(200)], "answering", "exact_", None),
    ],
    ids=["labels", "boxes", "masks", "ranking", "words", "words with bars"],
)
def test_what_a_target_spells_makes_the_task(tmp_path, cells, task, rule, baseline):
    frame = pl.DataFrame({"note": [f"note {row} of the shift" for row in range(200)], "said": cells})
    frame.write_csv(tmp_path / "notes.csv")
    draft = draft_scenario(tmp_path / "notes.csv", DraftAnswers("It fails.", "said", None, 0, 0, "works"))
    assert draft.scenario.task == task
    assert draft.scenario.criteria[0].rule.startswith(rule)
    assert baseline in (None, draft.scenario.baseline.value)
    told = [one.render("en") for one in draft.decided]
    assert any("costs are not used" in line for line in told) and not any("None" in line for line in told)


@pytest.mark.parametrize(
    ("ending", "array", "data_type"),
    [("npy", np.zeros((4, 6), np.uint8), DataType.IMAGE), ("npy", np.zeros(40, "<i2"), DataType.AUDIO)],
)
def test_names_of_images_and_sounds_are_such_columns_and_come_along(tmp_path, ending, array, data_type):
    (tmp_path / "from" / "kept").mkdir(parents=True)
    names = [f"kept/{row:03}.{ending}" for row in range(80)]
    for row, name in enumerate(names):
        np.save(tmp_path / "from" / name, array + array.dtype.type(row))
    table = tmp_path / "from" / "cases.csv"
    words = [f"word {row}" for row in range(80)]
    pl.DataFrame({"shown": names, "light": [row % 7 for row in range(80)], "said": words}).write_csv(table)
    made = new_scenario(table, DraftAnswers("It fails.", "said", None, 0, 0, "works"), tmp_path / "to")
    assert made.scenario.field("shown").data_type is data_type and made.scenario.data.key is None
    assert made.scenario.task == "transcription"
    assert {path.name for path in (tmp_path / "to" / "kept").iterdir()} == {path.split("/")[1] for path in names}
    for name in names:
        (tmp_path / "from" / name).unlink()
    alone = draft_scenario(table, DraftAnswers("It fails.", "said", None, 0, 0, "works")).scenario
    assert alone.field("shown").data_type is DataType.TEXT, "what is not there is a text"


@pytest.mark.parametrize("wrapped", [False, True], ids=["bytes", "as Hugging Face keeps them"])
def test_images_inside_a_table_are_such_a_column(tmp_path, wrapped):
    held = io.BytesIO()
    np.save(held, np.zeros((4, 6), np.uint8))
    cells = [{"bytes": held.getvalue(), "path": None} if wrapped else held.getvalue()] * 80
    frame = {"shown": cells, "light": [row % 7 for row in range(80)], "said": [f"word {row}" for row in range(80)]}
    pl.DataFrame({**frame, "raw": [b"no image"] * 80}).write_parquet(tmp_path / "cases.parquet")
    draft = draft_scenario(tmp_path / "cases.parquet", DraftAnswers("It fails.", "said", None, 0, 0, "works"))
    assert draft.scenario.field("shown").data_type is DataType.IMAGE
    assert [field.name for field in draft.scenario.data.fields] == ["shown", "light", "said"]
