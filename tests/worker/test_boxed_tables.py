"""Tables of strangers are read in a box: the same words as outside, and a broken reader harms nobody."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from polars.testing import assert_frame_equal

from pilotbase.data.drafting import DraftAnswers, draft_scenario
from pilotbase.documents.base import Step
from pilotbase.documents.errors import InputError
from pilotbase.protocols.array_cells import array_in
from pilotbase.sandbox.box import own_program
from pilotbase.trial.scenario_folder import load_scenario, read_cases
from pilotbase.worker.intake.boxed_tables import cases_in_box, check_in_box, describe_table, draft_in_box
from pilotbase.worker.intake.drafting import new_scenario
from tests.hub.test_uploads import cases
from tests.trial.test_kinds_of_answers import KINDS

ANSWERS = DraftAnswers("The mill breaks", "failure", None, 1000, 50, "plant, desk@plant.example")


@pytest.fixture
def table(tmp_path):
    (tmp_path / "alone").mkdir()
    path = tmp_path / "alone" / "cases.csv"
    path.write_bytes(cases())
    return path


@pytest.mark.prove
def test_a_draft_from_a_box_is_the_draft(table):
    assert draft_in_box(table, ANSWERS) == draft_scenario(table, ANSWERS)
    facts = describe_table(table)
    assert (facts.columns, facts.rows) == (("torque", "grade", "failure"), 600)


@pytest.mark.prove
def test_a_file_in_another_form_is_copied_out_of_the_box(tmp_path):
    table = tmp_path / "alone" / "案例.tsv"
    table.parent.mkdir()
    days = [f"{1 + at % 28}/{1 + at // 28 % 12}/{2020 + at // 336}" for at in range(600)]
    lines = [
        f"{line.replace(',', chr(9))}\t{day}"
        for line, day in zip(cases().decode().split("\n"), ["日期", *days], strict=True)
    ]
    table.write_bytes("\n".join(lines).encode("gb18030"))
    facts = describe_table(table)
    assert (facts.columns, facts.rows) == (("torque", "grade", "failure", "日期"), 600)
    by_time = replace(ANSWERS, group_or_time="日期")
    drafted = draft_in_box(table, by_time)
    assert drafted == draft_scenario(table, by_time) and drafted.cases is not None
    made = new_scenario(table, by_time, tmp_path / "s", draft_in_box)
    assert check_in_box(made.scenario, made.folder).hidden > 100


def test_the_values_of_a_table_are_counted_as_a_draft_reads_them(table):
    """Decimal commas with three digits behind them were taken for thousands, and nearly all of them were lost."""
    names = "编号;日期;振动;故障"
    lines = [f"C{at};2026-03-{1 + at % 28:02d};{at % 7},{at % 9}42;{'是' if at % 5 else '否'}" for at in range(400)]
    lines[0] = "C0;2026-03-01;;否"
    table.write_bytes("\n".join([names, *lines]).encode("gb18030"))
    facts = describe_table(table)
    key, day, shaking, broken = facts.profile.fields
    assert [len(one.histogram) for one in facts.profile.fields] == [0, 20, 20, 0]
    assert shaking.missing == 1 and sum(one.count for one in shaking.histogram) == 399
    assert (shaking.minimum, shaking.maximum) == (0.042, 6.842)
    assert {one.count for one in broken.values} == {80, 320} and not key.values and not day.missing
    assert any("GB18030" in sentence.render("en") for sentence in facts.told)


def test_what_is_wrong_is_said_as_outside(table):
    wrong = DraftAnswers("", "no_such", None, -1, 50, "")
    with pytest.raises(InputError) as outside:
        draft_scenario(table, wrong)
    with pytest.raises(InputError) as inside:
        draft_in_box(table, wrong)
    assert inside.value.render("zh") == outside.value.render("zh") and len(inside.value.issues) > 2
    table.write_bytes(b"a,a\n1,2\n")
    with pytest.raises(InputError) as double:
        describe_table(table)
    assert [issue.problem.code for issue in double.value.issues] == ["source.double_column"]


@pytest.mark.parametrize("ending", ["os.abort()", "open('/etc/passwd').read()", "sys.exit(0)"])
def test_a_reader_that_is_taken_over_reaches_nothing(table, tmp_path, monkeypatch, ending):
    """As if the table had run code in its reader: whatever it does, the answer is that this is no table."""
    source = Path(own_program.__file__).read_text()
    program = tmp_path / "taken_over.py"
    called = '    errors = import_module("pilotbase.documents.errors")\n'
    assert called in source
    program.write_text(source.replace(called, f"    {ending}\n", 1))
    monkeypatch.setattr(own_program, "__file__", str(program))
    with pytest.raises(InputError) as told:
        describe_table(table)
    assert told.value.code == "data.not_a_table"


def test_cases_from_a_box_are_the_cases(table):
    scenario = draft_scenario(table, ANSWERS).scenario
    assert_frame_equal(cases_in_box(scenario, table.parent), read_cases(scenario, table.parent))
    table.write_bytes(table.read_bytes().replace(b"failure", b"failed", 1))
    with pytest.raises(InputError) as outside:
        read_cases(scenario, table.parent)
    with pytest.raises(InputError) as inside:
        cases_in_box(scenario, table.parent)
    assert inside.value.render("zh") == outside.value.render("zh")


def test_images_in_a_table_are_read_in_the_box(tmp_path):
    folder = next(one for one in KINDS if one.kind == "boxes").write(tmp_path)
    table = pl.read_csv(folder / "cases.csv", infer_schema=False)
    images = [io.BytesIO() for _ in range(table.height)]
    for file, name in zip(images, table["image"], strict=True):
        Image.fromarray(np.load(folder / name)).save(file, "PNG")
    cells = pl.Series("image", [file.getvalue() for file in images], dtype=pl.Binary)
    alone = tmp_path / "alone"
    alone.mkdir()
    table.with_columns(cells).write_parquet(alone / "cases.parquet")
    manifest = (folder / "scenario.yaml").read_text().replace("cases.csv", "cases.parquet")
    (alone / "scenario.yaml").write_text(manifest)
    scenario, _ = load_scenario(alone, Step.DRAFT)
    found = cases_in_box(scenario, alone)
    assert_frame_equal(found, read_cases(scenario, alone))
    np.testing.assert_array_equal(array_in(found["image"][7])[:, :, 0], np.load(folder / table["image"][7]))
