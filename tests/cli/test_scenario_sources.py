"""From an owner's file in any form to a verdict: drafted, checked, rehearsed and tried in the real box."""

import datetime as dt
import json
import os
import pty
import random
import sqlite3
import subprocess
import sys
import zipfile

import polars as pl
import pytest
from PIL import Image

from pilotbase.data.source_cases import read_living_source
from pilotbase.documents.contract import DataType
from pilotbase.documents.loading import load_document
from pilotbase.documents.scenario import Scenario
from pilotbase.trial.scenario_folder import read_cases
from tests.cli.test_command_line import run
from tests.data.workbooks_for_tests import write_workbook
from tests.trial.conftest import home  # noqa: F401 - fixture

ROWS = 400
ANSWERS = ("--problem", "轴承故障", "--target", "故障", "--miss", 100, "--false-alarm", 10, "--contact", "plant, desk")


def rows():
    chance, found = random.Random(3), []
    for at in range(ROWS):
        heat = round(chance.gauss(60, 10), 2)
        day = dt.date(2023, 1, 1) + dt.timedelta(days=at)
        site = chance.choice(["一号站", "二号站", "三号站"])
        found.append(
            {
                "日期": f"{day:%d/%m/%Y}",
                "站点": site,
                "温度": heat,
                "转速": chance.randint(1000, 2000),
                "说明": f"{site}{at}号轴承温度偏高，需检查",
                "故障": "是" if heat + chance.gauss(0, 3) > 68 else "否",
            }
        )
    return found


def text(separator, comma=False):
    lines = [separator.join(rows()[0])]
    for row in rows():
        heat = str(row["温度"])
        lines.append(separator.join(map(str, {**row, "温度": heat.replace(".", ",") if comma else heat}.values())))
    return "\n".join(lines) + "\n"


def in_sqlite(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE 案例 (日期 TEXT, 站点 TEXT, 温度 REAL, 转速 INTEGER, 说明 TEXT, 故障 TEXT)")
        connection.executemany("INSERT INTO 案例 VALUES (?,?,?,?,?,?)", [tuple(row.values()) for row in rows()])
    connection.close()


def zipped(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("cases.csv", text(","))


WAYS = {
    "gbk.csv": lambda path: path.write_bytes(text(";", comma=True).encode("gb18030")),
    "utf16.csv": lambda path: path.write_bytes(text(",").encode("utf-16")),
    "tabs.tsv": lambda path: path.write_text(text("\t"), "utf-8"),
    "bars.txt": lambda path: path.write_text(text("|"), "utf-8"),
    "lines.jsonl": lambda path: path.write_text("\n".join(json.dumps(row) for row in rows()), "utf-8"),
    "list.json": lambda path: path.write_text(json.dumps(rows(), ensure_ascii=False), "utf-8"),
    "base.sqlite": in_sqlite,
    "packed.zip": zipped,
    "columns.parquet": lambda path: pl.DataFrame(rows()).write_parquet(path),
    "sheet.xlsx": lambda path: write_workbook(path, [list(rows()[0]), *(list(row.values()) for row in rows())]),
}


def walk(tmp_path, way):
    source = tmp_path / way
    WAYS[way](source)
    made = run("scenario", "new", "--from", source, "--out", tmp_path / "s", "--time", "日期", *ANSWERS)
    assert made.exit_code == 0, made.output
    assert "日期: " not in made.output and "on in 日期 is hidden" in made.output
    checked = run("scenario", "check", tmp_path / "s")
    assert checked.exit_code == 0, checked.output
    assert run("application", "new", tmp_path / "s", "--out", tmp_path / "a", "--supplier", "me").exit_code == 0
    rehearsed = run("trial", "rehearse", tmp_path / "s", tmp_path / "a")
    assert rehearsed.exit_code == 0, rehearsed.output
    tried = run("trial", "run", tmp_path / "s", tmp_path / "a", "--out", tmp_path / "out", "--json")
    assert tried.exit_code in (0, 3, 4), tried.output
    assert json.loads(tried.stdout)["verdict"] in ("accept", "reject", "inconclusive")


@pytest.mark.prove
def test_a_gbk_file_with_decimal_commas_and_days_first_goes_to_a_verdict(home, tmp_path):  # noqa: F811
    walk(tmp_path, "gbk.csv")
    sample = pl.read_csv(tmp_path / "a-sample.csv")
    assert sample["温度"].dtype == pl.Float64 and sample["日期"].max() < "2023-12-31"


@pytest.mark.prove
@pytest.mark.parametrize("way", [way for way in WAYS if way != "gbk.csv"])
def test_every_other_form_goes_to_a_verdict(home, tmp_path, way):  # noqa: F811
    walk(tmp_path, way)


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    "way",
    [
        pytest.param(
            way,
            marks=[pytest.mark.prove] if way not in ("gbk.csv", "sheet.xlsx") else [],
        )
        for way in WAYS
    ],
)
def test_every_form_is_drafted_and_checked(tmp_path, way):
    WAYS[way](tmp_path / way)
    made = run("scenario", "new", "--from", tmp_path / way, "--out", tmp_path / "s", "--time", "日期", *ANSWERS)
    assert made.exit_code == 0, made.output
    checked = run("scenario", "check", tmp_path / "s")
    assert checked.exit_code == 0, checked.output
    assert (tmp_path / way).is_file(), "the owner's own file stays"


def test_a_file_that_is_read_as_it_is_stays_byte_for_byte(tmp_path):
    plain = text(",").replace("日期", "day").encode()
    (tmp_path / "plain.csv").write_bytes(b"\xef\xbb\xbf" + plain.replace(b"/", b"-x-"))
    made = run(
        "scenario", "new", "--from", tmp_path / "plain.csv", "--out", tmp_path / "s", "--group-or-time", "", *ANSWERS
    )
    assert made.exit_code == 0, made.output
    assert (tmp_path / "s" / "plain.csv").read_bytes() == (tmp_path / "plain.csv").read_bytes()
    assert "copied_from" not in (tmp_path / "s" / "scenario.yaml").read_text("utf-8")


def test_a_grown_file_of_a_drafted_scenario_is_read_as_the_draft_read_it(tmp_path):
    WAYS["gbk.csv"](tmp_path / "gbk.csv")
    assert (
        run(
            "scenario", "new", "--from", tmp_path / "gbk.csv", "--out", tmp_path / "s", "--time", "日期", *ANSWERS
        ).exit_code
        == 0
    )
    scenario = load_document(Scenario, tmp_path / "s" / "scenario.yaml")
    grown = read_living_source(str(tmp_path / "gbk.csv"), scenario, tmp_path)
    assert grown.equals(read_cases(scenario, tmp_path / "s"))


def ambiguous(tmp_path):
    days = [f"{1 + at % 12:02d}/{1 + at * 7 % 12:02d}/2023" for at in range(ROWS)]
    pl.DataFrame(rows()).with_columns(日期=pl.Series(days)).write_csv(tmp_path / "cases.csv")
    return ("scenario", "new", "--from", tmp_path / "cases.csv", "--out", tmp_path / "s", *ANSWERS)


@pytest.mark.prove
@pytest.mark.parametrize("named", [pytest.param("--time", marks=pytest.mark.prove), "--group-or-time"])
def test_dates_with_two_readings_stop_the_draft_and_name_the_flag(tmp_path, named):
    asked = ambiguous(tmp_path)
    told = run(*asked, named, "日期")
    assert told.exit_code == 2 and "--dates day-first" in told.stderr and not (tmp_path / "s").exists()
    assert "--dates day-first" in run(*asked, named, "日期", language="zh").stderr
    assert run(*asked, named, "日期", "--dates", "month-first").exit_code == 0


def test_a_column_that_tells_no_time_stops_the_draft(tmp_path):
    asked = ambiguous(tmp_path)
    assert run(*asked, "--time", "站点").exit_code == 2
    assert run(*asked, "--time", "站点", "--group-or-time", "站点").exit_code == 2
    assert run(*asked, "--group-or-time", "站点").exit_code == 0


@pytest.mark.prove
@pytest.mark.parametrize(
    ("said", "hidden"), [("y", "day-first"), pytest.param("n", "month-first", marks=pytest.mark.prove)]
)
def test_on_a_terminal_the_order_of_dates_is_asked(tmp_path, said, hidden):
    asked = ambiguous(tmp_path)
    ours, theirs = pty.openpty()
    asked = (*asked, "--time", "日期", "--fix", "")
    command = [sys.executable, "-c", "from pilotbase.cli import main; main()", *map(str, asked)]
    environment = {**os.environ, "PILOTBASE_HOME": str(tmp_path / "home"), "PILOTBASE_LANGUAGE": "en"}
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, text=True, env=environment) as process:
        os.write(ours, f"{said}\n".encode())
        output, _ = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0 and "does the day come first" in output, output
    again = run(*asked[:5], tmp_path / "t", *ANSWERS, "--time", "日期", "--fix", "", "--dates", hidden)
    assert again.exit_code == 0, again.output
    assert (tmp_path / "s" / "cases.csv").read_bytes() == (tmp_path / "t" / "cases.csv").read_bytes()


def test_a_folder_of_images_is_drafted_with_its_images_and_without_facts_about_their_files(home, tmp_path):  # noqa: F811
    draw = random.Random(2)
    for at in range(60):
        kind = draw.choice(["cracked", "whole"])
        place = tmp_path / "tiles" / kind / f"{at}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        pixels = [0 if kind == "cracked" and at % 8 == 3 else draw.randrange(90, 150) for at in range(64)]
        image = Image.new("L", (8, 8))
        image.putdata(pixels)
        image.save(place)
    asked = ("--problem", "Tiles crack", "--target", "label", "--group-or-time", "", "--miss", 9, "--false-alarm", 1)
    made = run("scenario", "new", "--from", tmp_path / "tiles", *asked, "--contact", "works", "--out", tmp_path / "s")
    assert made.exit_code == 0, made.output
    scenario = load_document(Scenario, tmp_path / "s" / "scenario.yaml")
    assert [(one.name, one.data_type) for one in scenario.feature_fields] == [("path", DataType.IMAGE)]
    assert len(read_cases(scenario, tmp_path / "s")) == 60, "each image lies beside the table"


@pytest.mark.usefixtures("home")
def test_where_nobody_can_be_asked_the_gaps_are_named_at_once_and_no_column_is_needed(tmp_path):
    (tmp_path / "plain.csv").write_text(text(","))
    asked = ("scenario", "new", "--from", tmp_path / "plain.csv", "--out", tmp_path / "s")
    lacking = run(*asked, "--problem", "轴承故障", "--target", "故障")
    assert lacking.exit_code == 2 and "--miss, --false-alarm, --contact" in lacking.stderr
    done = run(*asked, *ANSWERS, "--dates", "day-first")
    assert done.exit_code == 0, done.stderr
    assert "chosen at random" in done.stdout
