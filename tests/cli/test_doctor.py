"""The data doctor on a messy table: what it finds, with remedies that work, and nothing where nothing is odd."""

import csv
import random

import pytest

from tests.cli.test_command_line import run
from tests.trial.conftest import home, write_scenario  # noqa: F401 - fixtures

ANSWERS = ("--problem", "Pumps fail", "--target", "state", "--group-or-time", "", "--miss", 100, "--false-alarm", 10)


def rows():
    draw = random.Random(1)
    for number in range(1200):
        pressure = draw.uniform(0, 10)
        broken = (pressure > 7) != (draw.random() < 0.04)
        yield {
            "nr": f"c{number:04}",
            "pressure": round(pressure, 2),
            "temperature": -999 if draw.random() < 0.02 else round(draw.gauss(60, 8), 1),
            "flow": f"{draw.uniform(1, 9):.1f} l/min",
            "phone": f"139{draw.randrange(10**8):08}",
            "note<b>": "" if draw.random() < 0.7 else draw.choice(["ok", "loud"]),
            "repaired": "yes" if broken and draw.random() < 0.6 else "no",
            "state": "burst" if broken and draw.random() < 0.03 else "broken" if broken else "fine",
        }


@pytest.fixture
def drafted(home, tmp_path):  # noqa: F811
    table = [*rows()]
    with (tmp_path / "messy.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, table[0])
        writer.writeheader()
        writer.writerows(table)
    folder = tmp_path / "messy"
    told = run(
        "scenario", "new", "--from", tmp_path / "messy.csv", "--out", folder, *ANSWERS, "--contact", "works, desk"
    )
    assert told.exit_code == 0 and "7 remarks" in told.stdout and (folder / "doctor.html").is_file()
    return folder


@pytest.mark.prove
def test_a_messy_table_is_examined_column_by_column(drafted):
    told = run("scenario", "doctor", drafted).stdout
    for found in (
        "hidden cases are of the class burst",
        'temperature is -999 in 24 cases, far from all other values: it seems to mean a missing one. Add "-999"',
        "flow has its unit in every cell (l/min)",
        "phone may identify a person: 100 % of the values have the form of a mobile number",
        "note<b> has no value in 70% of the cases",
        "pressure alone avoids 72% of the errors of guessing",
        "repaired alone avoids 57%",
    ):
        assert found in told
    assert "手机号码" in run("scenario", "doctor", drafted, language="zh").stdout
    page = (drafted / "doctor.html").read_text()
    assert "note&lt;b&gt;" in page and "note<b>" not in page and "<script" not in page
    assert "数据体检" in page and "Data doctor" in page


def test_a_remedy_that_is_followed_ends_the_remark(drafted):
    manifest = drafted / "scenario.yaml"
    content = manifest.read_text()
    assert content.count("missing: [") == 1
    manifest.write_text(content.replace("missing: [", 'missing: ["-999", '))
    told = run("scenario", "doctor", drafted)
    assert told.exit_code == 0 and "temperature is" not in told.stdout and "pressure alone" in told.stdout


def test_where_nothing_is_odd_nothing_is_said_but_what_a_column_achieves(write_scenario):  # noqa: F811
    told = run("scenario", "doctor", write_scenario(rows=1500))
    assert told.exit_code == 0
    assert [line for line in told.stdout.splitlines() if "alone" not in line] == [told.stdout.splitlines()[-1]]


def test_of_numbers_the_rank_correlation_is_told(home, tmp_path):  # noqa: F811
    draw = random.Random(2)
    loads = [draw.uniform(0, 100) for _ in range(400)]
    lines = [f"{load:.2f},{3 * load + draw.gauss(0, 40):.2f}" for load in loads]
    (tmp_path / "power.csv").write_text("\n".join(["load,output", *lines]) + "\n")
    answers = ("--problem", "Output", "--target", "output", "--group-or-time", "", "--miss", 1, "--false-alarm", 0)
    folder = tmp_path / "power"
    made = run(
        "scenario", "new", "--from", tmp_path / "power.csv", "--out", folder, *answers, "--contact", "works, desk"
    )
    assert made.exit_code == 0, made.stderr
    told = run("scenario", "doctor", folder).stdout
    assert "rank correlation of load alone with the answer is 9" in told and "errors of guessing" not in told
