import datetime as dt
import io
from itertools import product

import numpy as np
import polars as pl
import pytest

from pilotbase.data.column_guesses import guess_unit
from pilotbase.data.describing.observing import observe
from pilotbase.data.drafting import DraftAnswers, draft_scenario
from pilotbase.data.scenario_yaml import write_scenario_yaml
from pilotbase.data.sources.source import SourceTable
from pilotbase.data.thresholds import WORTH_IT, propose_regression, propose_two_classes
from pilotbase.documents.base import Step, missing_for
from pilotbase.documents.contract import DataType
from pilotbase.documents.errors import InputError
from pilotbase.documents.loading import load_document
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.scenario_data import GroupSplit, HashSplit
from pilotbase.worker.intake.drafting import new_scenario
from tests.data.drafts_for_tests import CASES, RANDOM, ROWS
from tests.quick_cases import covering


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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("手机号", lambda at: f"+86 139{at:08d}"),
        ("mobile_no", lambda at: 13900000000 + at * 7919 % 10**8),
        ("电话", lambda at: f"0755-8{at:07d}"),
        ("mail", lambda at: f"a{at}@works.example.cn"),
    ],
)
def test_what_names_a_person_is_no_key(draft, name, value):
    people = CASES.drop("case_id", "row").with_columns(pl.Series(name, [value(at) for at in range(ROWS)]))
    found = draft(people)
    assert found.scenario.data.key is None and name in {one.name for one in found.scenario.feature_fields}
    assert name not in " ".join(one.render() for one in found.decided if one.code != "draft.decided.named_classes")


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


def test_numbers_are_drafted_as_a_regression(draft):
    found = draft(target="output", cost_of_false_alarm=0).scenario
    assert found.task == "regression"
    assert found.positive is None
    assert found.criteria[0].parsed().measure == "capped_mae"
    truth = CASES["output"].cast(pl.Float64)
    assert abs(found.baseline.value - truth.median()) < truth.std() / 5
    errors = (truth - truth.median()).abs()
    assert float(found.criteria[0].parsed().threshold) == pytest.approx(0.8 * errors.mean(), rel=0.15)


def test_many_classes_are_asked_for_accuracy_for_what_costs_allow_and_for_a_floor_each(draft):
    kinds = CASES.with_columns(kind=pl.Series(["a"] * 290 + ["b"] * 200 + ["c"] * 100 + ["d"] * 10))
    found = draft(kinds, target="kind", cost_of_miss=20, cost_of_false_alarm=10).scenario
    assert (found.baseline.value, found.positive) == ("a", "c"), "d has too few cases to be judged"
    rules = [one.parsed() for one in found.criteria]
    asked = {one.key: float(one.threshold) for one in rules[:-2]}
    assert list(asked) == ["accuracy", "recall(c)", "precision(c)", "recall(b)", "recall(a)"]
    assert 0.56 <= asked["accuracy"] <= 0.66 and asked["recall(a)"] == asked["recall(b)"] == 0.5
    share = asked["recall(c)"] / asked["precision(c)"]
    assert asked["recall(c)"] == 0.6 and share > 0
    dearer = draft(kinds, target="kind", cost_of_miss=20, cost_of_false_alarm=1).scenario.criteria[1].parsed()
    assert float(dearer.threshold) > asked["recall(c)"]


KINDS = pl.DataFrame({**CASES.to_dict(), "kind": ["a"] * 290 + ["b"] * 200 + ["c"] * 100 + ["d"] * 10})


def test_what_each_mistake_costs_decides_the_baseline_and_the_criteria(draft):
    found = draft(KINDS, target="kind", mistakes="c as *=50\nd as * = 30，* as c=2, * as *=5").scenario
    assert found.baseline.value == "c", "always answering c costs 2 a case, or 30 of few"
    rule, *floors = [one.parsed() for one in found.criteria[:-2]]
    share = {label: count / 600 for label, count in {"a": 290, "b": 200, "d": 10}.items()}
    today = 2 * (share["a"] + share["b"]) + 30 * share["d"]
    assert rule.measure == "cost" and float(rule.threshold) == pytest.approx(0.8 * today, rel=0.25)
    assert [one.key for one in floors] == ["recall(c)", "recall(b)", "recall(a)"]
    assert not any(one.code == "draft.decided.costs_unused" for one in draft(KINDS, target="kind").decided)


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({"mistakes": "a is b: 5"}, "scenario.mistakes_unread"),
        ({"mistakes": "a as e=5, * as *=1"}, "measure.unknown_class"),
        ({"mistakes": "a as b=5, b as a=5"}, "measure.mistakes_open"),
        ({"mistakes": "a as b=5", "target": "failed"}, "draft.mistakes_many"),
        ({"mistakes": "a as b=5", "target": "output"}, "draft.mistakes_many"),
    ],
)
def test_what_mistakes_cost_is_refused_where_it_says_too_little(draft, answers, code):
    with pytest.raises(InputError) as caught:
        draft(KINDS, **{"target": "kind", **answers})
    (issue,) = caught.value.issues
    assert (issue.path, issue.problem.code) == ("mistakes", code)


def test_an_answer_that_never_costs_anything_makes_no_draft(draft):
    with pytest.raises(InputError, match="Always answering a would cost nothing"):
        draft(KINDS, target="kind", mistakes="* as a=0, * as *=5")


@pytest.fixture(scope="module")
def drafted(tmp_path_factory):
    CASES.write_csv(path := tmp_path_factory.mktemp("draft") / "pumps.csv")
    return draft_scenario(
        path, DraftAnswers("Pumps fail", "failed", None, 100, 10, "River, ops@river.example")
    ).scenario


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("target", "group"), covering(product(["failed", "output"], [None, "machine", "site", "at"])))
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
def test_awkward_texts_survive_the_yaml(drafted, tmp_path, label):
    scenario = drafted
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
    assert (found.name, found.owner.organisation) == ("beng", "zhi-ban-shi")
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


@pytest.mark.prove
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


@pytest.mark.parametrize("written", [["1,234", "2,500"], ["1,234", "900"]])
def test_numbers_with_two_readings_are_told(draft, written):
    found = draft(CASES.with_columns(amount=pl.Series(written * (ROWS // 2))))
    assert "such as 1,234 as 1234" in " ".join(sentence.render("en") for sentence in found.decided)


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
