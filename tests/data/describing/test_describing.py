"""A dataset described from its files: what is guessed and why, what is only seen, what is wrong, what is missing."""

import pytest

from pilotbase.data.croissant.writing import write_croissant
from pilotbase.data.describing.describing import describing
from pilotbase.data.describing.meanings import guess_sensitivity, guess_ucum
from pilotbase.data.describing.questions import open_questions, read_answers, units_to_ask, write_dataset_yaml
from pilotbase.data.personal_values import is_card_number, is_identity_number
from pilotbase.data.sources.source import ReadOptions
from pilotbase.documents.base import localized
from pilotbase.documents.dataset import Dataset, FieldType, Reference
from pilotbase.documents.described import Answers
from pilotbase.documents.errors import InputError
from pilotbase.documents.loading import load_document
from pilotbase.documents.scenario_data import HashSplit
from pilotbase.documents.vocabularies import Sensitivity
from tests.data.croissant.datasets_for_tests import read
from tests.data.sources.sources_for_tests import database, lines, png

RUNS = 60


def runs(count=RUNS, extra=""):
    head = "run_id,machine_id,recorded_at,temp_c,压力(kPa),state,failed\n"
    rows = (
        f"R{at:04},M{at % 12:02},2026-01-{1 + at // 24:02} {at % 24:02}:30:00,{20 + at / 10},{101 + at % 5}.5,"
        f"{'run' if at % 2 else 'idle'},{'yes' if at % 4 == 0 else 'no'}\n"
        for at in range(count)
    )
    return head + "".join(rows) + extra


MACHINES = "id,kind\n" + "".join(f"M{at:02},K{at % 3}\n" for at in range(12))


def described(folder, files, answers=None, out="dataset.yaml", asked=ReadOptions()):  # noqa: B008 - frozen
    for name, content in files.items():
        if content is not None:
            (folder / name).write_text(content)
    with describing([str(folder / name) for name in files], folder / out, asked) as places:
        return places.describe(answers or Answers())


def grounds(description, table, field=None):
    found = description.tables[table]
    guesses = found.guesses if field is None else next(one for one in found.fields if one.field.name == field).guesses
    return {guess.part: (guess.ground.render("en"), guess.sure.value) for guess in guesses}


def test_two_tables_are_described_with_what_they_are_for_and_why(tmp_path):
    found = described(tmp_path, {"runs.csv": runs(), "machines.csv": MACHINES})
    one, other = found.dataset.record_sets
    assert (one.key, one.time, one.group, one.rows) == (("run_id",), "recorded_at", "machine_id", RUNS)
    assert one.split == HashSplit(hidden=0.5, by="machine_id")
    assert one.field("failed").is_label and one.field("failed").data_type is FieldType.BOOLEAN
    assert one.field("machine_id").references == Reference(record_set="machines", field="id")
    assert (one.field("temp_c").unit, one.field("压力(kPa)").unit) == ("Cel", "kPa")
    assert one.field("state").values == ("idle", "run")
    assert one.field("run_id").unique and other.key == ("id",)
    assert grounds(found, 0)["group"] == (
        "machine_id has 12 values in 60 rows; rows of one value belong together",
        "likely",
    )
    assert grounds(found, 0, "machine_id")["references"] == ("60 of 60 values are found in machines.id", "likely")
    assert grounds(found, 0, "temp_c")["unit"][1] == "likely"
    assert found.dataset.in_language == ("en",)
    assert not found.findings


def test_a_range_that_was_seen_is_no_promise(tmp_path):
    found = described(tmp_path, {"runs.csv": runs()})
    field = found.dataset.record_sets[0].field("temp_c")
    assert field.minimum is None and field.maximum is None and not field.required
    assert "seen, not promised: 20 to 25.9" in write_dataset_yaml(found)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_yaml_reads_back_to_the_same_document(tmp_path, language):
    found = described(tmp_path, {"runs.csv": runs(), "machines.csv": MACHINES})
    written = write_dataset_yaml(found, language)
    (tmp_path / "dataset.yaml").write_text(written)
    assert load_document(Dataset, tmp_path / "dataset.yaml") == found.dataset
    assert max(map(len, written.splitlines())) <= 120


def test_values_that_few_records_have_are_written_nowhere(tmp_path):
    content = "patient_no,ward,diagnosis,age\n" + "".join(
        f"P{at:03},{'north' if at else 'isolation'},{'flu' if at % 2 else 'angina'},{20 + at % 60}\n"
        for at in range(80)
    )
    written = write_dataset_yaml(described(tmp_path, {"ward.csv": content}))
    assert "isolation" not in written and "20 to 79" not in written and "P001" not in written


PERSONAL = {
    "身份证号": (["11010519491231002X", "440524188001010014"], Sensitivity.IDENTIFIER, "certain"),
    "m1": (["13812345678", "+86 139-1234-5678"], Sensitivity.IDENTIFIER, "certain"),
    "m2": (["a.b@example.org", "c@example.cn"], Sensitivity.IDENTIFIER, "certain"),
    "m3": (["王小明", "李四"], Sensitivity.IDENTIFIER, "certain"),
    "m4": (["4111111111111111", "5500005555555559"], Sensitivity.IDENTIFIER, "certain"),
    "m5": (["京A12345", "沪B·D1234"], Sensitivity.IDENTIFIER, "certain"),
    "PatientName": (["x"], Sensitivity.IDENTIFIER, "likely"),
    "联系电话": (["1"], Sensitivity.IDENTIFIER, "likely"),
    "age_group": (["1"], Sensitivity.QUASI_IDENTIFIER, "likely"),
    "性别": (["男"], Sensitivity.QUASI_IDENTIFIER, "likely"),
    "diagnosis": (["flu"], Sensitivity.SENSITIVE, "likely"),
    "chest_pain": (["typical"], Sensitivity.SENSITIVE, "likely"),
}


@pytest.mark.parametrize("name", PERSONAL)
def test_what_a_column_tells_of_a_person(name):
    sample, sensitivity, sure = PERSONAL[name]
    found = guess_sensitivity(name, sample)
    assert found is not None and (found[0], found[1].sure.value) == (sensitivity, sure)


@pytest.mark.parametrize("name", ["voltage", "percentage", "storage", "temp_c", "machine", "package"])
def test_what_tells_nothing_of_a_person(name):
    assert guess_sensitivity(name, ["1", "2"]) is None


def test_a_number_is_an_identity_number_by_its_check_digit():
    assert is_identity_number("11010519491231002X") and not is_identity_number("110105194912310021")
    assert is_card_number("4111111111111111") and not is_card_number("4111111111111112")


def test_a_telephone_number_is_no_quantity(tmp_path):
    content = "id,phone\n" + "".join(f"{at},138{at:08}\n" for at in range(20))
    field = described(tmp_path, {"t.csv": content}).dataset.record_sets[0].field("phone")
    assert (field.data_type, field.sensitivity) == (FieldType.TEXT, Sensitivity.IDENTIFIER)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("temp_c", "Cel"), ("温度(℃)", "Cel"), ("T [C]", "Cel"), ("torque [Nm]", "N.m"), ("speed_rpm", "{rev}/min"),
        ("功率（MW）", "MW"), ("压力(kPa)", "kPa"), ("金额(万元)", "10*4.{CNY}"), ("duration_s", "s"),
        ("bp [mmHg]", "mm[Hg]"), ("wave [nm]", "nm"),
        ("departures_in_hour", None), ("price (estimated)", None), ("name", None), ("用电量(度)", None),
    ],
)  # fmt: skip
def test_the_unit_that_a_name_tells(name, unit):
    found = guess_ucum(name)
    assert (found[0] if found else None) == unit


def test_machine_and_cycle_name_a_record_together(tmp_path):
    content = "unit,cycle,sensor_1\n" + "".join(f"{1 + at // 10},{1 + at % 10},{at}.5\n" for at in range(40))
    record_set = described(tmp_path, {"t.csv": content}).dataset.record_sets[0]
    assert (record_set.key, record_set.time, record_set.group) == (("unit", "cycle"), "cycle", "unit")


def test_a_column_in_which_one_value_stands_twice_is_no_key(tmp_path):
    content = "id,text\n" + "".join(f"{max(at, 1)},t{at}\n" for at in range(400))
    record_set = described(tmp_path, {"t.csv": content}).dataset.record_sets[0]
    assert record_set.key == ("text",) and not record_set.field("id").unique


def test_a_column_that_is_called_like_another_table_is_no_reference_where_its_values_are_not(tmp_path):
    others = MACHINES.replace("M", "X")
    found = described(tmp_path, {"runs.csv": runs(), "machines.csv": others})
    assert found.dataset.record_set("runs").field("machine_id").references is None and not found.findings


def test_the_last_column_with_few_values_may_be_the_label(tmp_path):
    content = "a,b,c,condition\n" + "".join(
        f"{at}.1,{at}.2,{at}.3,{'bad' if at % 9 == 0 else 'good'}\n" for at in range(90)
    )
    found = described(tmp_path, {"t.csv": content})
    assert [field.name for field in found.dataset.record_sets[0].labels] == ["condition"]
    assert grounds(found, 0, "condition")["label"][1] == "unsure"
    answered = described(tmp_path, {"t.csv": None}, Answers(label="-"))
    assert answered.dataset.record_sets[0].labels == () and answered.dataset.record_sets[0].split is None


def test_numbers_that_merely_lie_within_another_key_are_no_reference(tmp_path):
    orders = "order_id,quantity,customer\n" + "".join(f"{at},{1 + at % 5},{1 + at % 20}\n" for at in range(100, 160))
    customers = "id,city\n" + "".join(f"{at},C\n" for at in range(1, 21))
    found = described(tmp_path, {"orders.csv": orders, "customers.csv": customers}).dataset.record_sets[0]
    assert found.field("quantity").references is None
    assert found.field("customer").references == Reference(record_set="customers", field="id")


def test_a_few_rows_whose_value_is_not_there_are_told(tmp_path):
    extra = "R9999,M99,2026-02-01 00:30:00,20,101.5,run,no\n"
    found = described(tmp_path, {"runs.csv": runs(120, extra), "machines.csv": MACHINES})
    assert [issue.render("en").partition(". ")[0] for issue in found.findings] == [
        "runs machine_id: Rows whose value is not found in machines.id: 1"
    ]


def test_what_is_wrong_in_the_values_is_told_with_line_and_remedy(tmp_path):
    days = ["2026-01-31"] * 30 + ["2026/2/1", "2026年3月1日", "20260401", "31/05/2026"]
    content = "id,day,入库日期,amount\n" + "".join(
        f'{at},{day},{45000 + at},"{"1,200" if at == 7 else "２０" if at == 9 else at}"\n'
        for at, day in enumerate(days)
    )
    told = "\n".join(issue.render("en") for issue in described(tmp_path, {"t.csv": content}).findings)
    assert "t.csv day: Dates in 5 forms" in told and "t.csv:35 day: Dates that are not written as" in told
    assert "t.csv 入库日期: 45000 to 45033 look like the day numbers of a spreadsheet" in told
    assert "t.csv:9 amount: Numbers with thousands separators: 1, such as '1,200' (line 9)" in told
    assert "t.csv:11 amount: Numbers in full-width digits: 1" in told


def test_wrong_values_of_persons_are_not_shown(tmp_path):
    content = "id,salary\n" + "".join(f"{at},{4000 + at}\n" for at in range(60)) + '60,"9,999"\n'
    told = "\n".join(issue.render("en") for issue in described(tmp_path, {"t.csv": content}).findings)
    assert "t.csv:62 salary" in told and "9,999" not in told


def test_many_columns_that_differ_by_a_number_ask_for_a_long_table(tmp_path):
    content = ",".join(f"sensor_{at}" for at in range(60)) + "\n" + (",".join(["1.5"] * 60) + "\n") * 3
    told = described(tmp_path, {"t.csv": content}).findings[0].render("en")
    assert "60 columns that differ by a number only, such as sensor_0, sensor_1" in told


def test_answers_win_over_guesses_and_unknown_columns_are_told_all_at_once(tmp_path):
    answers = Answers(label="state", group="-", time="-", key="run_id, machine_id", units={"temp_c": "K"}, title="Runs")
    found = described(tmp_path, {"runs.csv": runs()}, answers)
    record_set = found.dataset.record_sets[0]
    assert (record_set.key, record_set.time, record_set.group) == (("run_id", "machine_id"), None, None)
    assert [field.name for field in record_set.labels] == ["state"]
    assert record_set.field("temp_c").unit == "K" and localized(found.dataset.title) == "Runs"
    with pytest.raises(InputError) as caught:
        described(tmp_path, {"runs.csv": runs()}, Answers(label="faild", units={"temp": "K"}))
    told = caught.value.render("en")
    assert "label: faild is no column" in told and "units.temp: temp is no column" in told
    assert "did you mean failed?" in told and "did you mean temp_c?" in told


def test_answers_are_read_from_a_file_with_all_its_problems(tmp_path):
    path = tmp_path / "answers.yaml"
    path.write_text("title: Runs\nunits: {temp_c: K}\n")
    assert read_answers(path) == Answers(title="Runs", units={"temp_c": "K"})
    path.write_text("title: Runs\nlabl: failed\npurpose: fun\n")
    with pytest.raises(InputError) as caught:
        read_answers(path)
    told = caught.value.render("en")
    assert "answers.yaml:2 labl" in told and "answers.yaml:3 purpose" in told


def test_what_is_missing_is_listed_with_the_answer_that_gives_it(tmp_path):
    found = described(tmp_path, {"runs.csv": runs()})
    asked = {question.answer: question for question in open_questions(found)}
    assert asked["label"].guessed == "failed" and asked["key"].guessed == "run_id"
    assert {"organisation", "description", "license", "collection", "personal", "annotation"} <= asked.keys()
    answers = {
        name: ("x",) if one.several else "x"
        for name, one in asked.items()
        if name not in ("label", "key", "time", "group")
    }
    answers |= {"published": "2026-12-01", "language": ("en",)}
    full = described(tmp_path, {"runs.csv": None}, Answers(**answers))
    assert full.missing == ("usage",)
    assert {question.answer for question in open_questions(full)} == {"label", "key", "time", "group"}
    assert units_to_ask(full) == ()


def test_two_tables_of_one_name_are_refused(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(InputError) as caught:
        described(tmp_path, {"runs.csv": runs(), "a/runs.csv": runs()})
    assert "two tables are called runs" in caught.value.render("en").lower()


def test_a_database_is_described_by_what_it_declares(tmp_path):
    database(
        tmp_path / "plant.db",
        "CREATE TABLE machines (id TEXT PRIMARY KEY)",
        "CREATE TABLE runs (nr INTEGER PRIMARY KEY, machine TEXT NOT NULL REFERENCES machines(id))",
        "INSERT INTO machines VALUES ('M1')",
        "INSERT INTO runs VALUES (1, 'M1'), (2, 'M1')",
    )
    found = described(tmp_path, {"plant.db": None})
    record_set = found.dataset.record_set("runs")
    assert record_set.key == ("nr",) and record_set.field("machine").required
    assert record_set.field("machine").references == Reference(record_set="machines", field="id")
    assert grounds(found, 1)["key"] == ("the source itself declares this key", "certain")


def test_what_a_database_declares_of_columns_that_are_left_out_is_left_out(tmp_path):
    database(
        tmp_path / "plant.db",
        "CREATE TABLE machines (id BLOB PRIMARY KEY, line TEXT)",
        "CREATE TABLE runs (nr INTEGER, machine TEXT REFERENCES machines(id), at TEXT REFERENCES days(at))",
        "INSERT INTO machines VALUES (x'01', 'north')",
        "INSERT INTO runs VALUES (1, 'M1', '2026-01-01')",
    )
    found = described(tmp_path, {"plant.db": None}).dataset
    assert found.record_set("machines").key == () and found.record_set("runs").field("machine").references is None


def test_a_folder_of_images_is_described_by_its_paths(tmp_path):
    for at in range(24):
        place = tmp_path / "scans" / ("crack" if at % 2 else "fine") / f"{at}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(png(4, 5, at))
    found = described(tmp_path, {"scans": None})
    record_set = found.dataset.record_set("scans")
    assert record_set.key == ("path",) and record_set.field("label").is_label
    assert record_set.field("label").values == ("crack", "fine")
    assert found.dataset.distribution[0].includes == ("scans/**/*.png",)
    assert record_set.field("path").source.file_property == "fullpath"
    assert record_set.field("label").source.transforms == (("regex", "^(.*)/[^/]*$"),)


def test_what_lies_inside_an_object_is_found_by_its_path(tmp_path):
    content = lines(*({"id": at, "at": {"city": "北京"}} for at in range(3)))
    fields = described(tmp_path, {"t.jsonl": content}).dataset.record_sets[0]
    assert fields.field("at.city").source.json_path == "$.at.city" and fields.field("id").source.column == "id"


def test_lists_of_objects_are_record_sets_with_a_foreign_key(tmp_path):
    orders = [{"id": f"A{at}", "items": [{"sku": f"s{at % 3}", "count": at}] * 2} for at in range(30)]
    found = described(tmp_path, {"orders.jsonl": lines(*orders)})
    parent, items = found.dataset.record_sets
    assert (parent.key, items.rows) == (("id",), 60)
    held = items.field("orders.id")
    assert held.references == Reference(record_set="orders", field="id") and held.required
    assert items.field("count").source.json_path == "$.items[*].count"
    assert read(write_croissant(found.dataset)).faults == ()


def test_a_column_may_be_called_as_libraries_call_their_own(tmp_path):
    found = described(tmp_path, {"t.csv": "id,count,value,len\n" + "".join(f"{at},{at % 3},a,b\n" for at in range(40))})
    assert [field.name for field in found.dataset.record_sets[0].fields] == ["id", "count", "value", "len"]


def spelled(tmp_path, yes, no, more=""):
    rows = "".join(f"R{at},{yes if at % 3 else no}\n" for at in range(40)) + more
    (tmp_path / "out").mkdir(exist_ok=True)
    found = described(tmp_path, {"runs.csv": "run_id,hot\n" + rows}, out="out/dataset.yaml")
    field = found.dataset.record_sets[0].field("hot")
    assert field.data_type is FieldType.BOOLEAN
    return field.values


def test_how_yes_and_no_are_spelled_is_described_for_made_up_records(tmp_path):
    assert spelled(tmp_path, "True", "False") == ("False", "True")
    assert spelled(tmp_path, "是", "否") == ("否", "是")
    assert spelled(tmp_path, "True", "False", "R40,true\n") == ("False", "True", "true")
    assert spelled(tmp_path, "true", "false") == ()
