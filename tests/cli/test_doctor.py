"""The data doctor on a messy table: what it finds, with remedies that work, and nothing where nothing is odd."""

import csv
import random
import re
from types import SimpleNamespace

import pytest
import typer

from pilotbase.cli.scenario import _asked_fixes
from pilotbase.data.doctor import Remark
from pilotbase.data.fixes import Fix
from pilotbase.documents.base import Step
from pilotbase.documents.texts import percent, text
from pilotbase.documents.vocabularies import Outcome
from pilotbase.trial.scenario_folder import load_scenario, read_cases
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
def messy(home, tmp_path):  # noqa: F811
    table = [*rows()]
    with (tmp_path / "messy.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, table[0])
        writer.writeheader()
        writer.writerows(table)
    return ("scenario", "new", "--from", tmp_path / "messy.csv", *ANSWERS, "--contact", "works, desk", "--out")


@pytest.fixture
def drafted(messy, tmp_path):
    folder = tmp_path / "messy"
    told = run(*messy, folder)
    assert told.exit_code == 0 and "6 remarks" in told.stdout and (folder / "doctor.html").is_file()
    return folder


@pytest.mark.prove
def test_a_messy_table_is_examined_column_by_column(drafted):
    told = run("scenario", "doctor", drafted).stdout
    for found in (
        "hidden cases are of the class burst",
        "temperature is -999 in 24 cases, far from all other values: it seems to mean a missing one. If it stands",
        "flow has its unit in every cell (l/min)",
        "phone may identify a person: 100 % of the values have the form of a mobile number",
        "note<b> has no value in 70 % of the cases",
        "2 columns alone avoids much of the errors of guessing: pressure (85 %), repaired (57 %)",
        "withhold them from applications. In a new draft: --fix afterwards for all, --fix afterwards:COLUMN for one\n",
    ):
        assert found in told
    assert "手机号码" in run("scenario", "doctor", drafted, language="zh").stdout
    page = (drafted / "doctor.html").read_text()
    assert "note&lt;b&gt;" in page and "note<b>" not in page and "<script" not in page
    assert "数据体检" in page and "Data doctor" in page and "<code>--fix units:flow</code>" in page


def test_a_remedy_that_is_followed_ends_the_remark(drafted):
    manifest = drafted / "scenario.yaml"
    content = manifest.read_text()
    assert content.count("missing: [") == 1
    manifest.write_text(content.replace("missing: [", 'missing: ["-999", '))
    told = run("scenario", "doctor", drafted)
    assert told.exit_code == 0 and "temperature is" not in told.stdout and ": pressure (" in told.stdout


def test_fixes_are_declared_in_the_scenario_and_the_cases_stay_as_they_are(messy, tmp_path):
    told = run(*messy, tmp_path / "fixed", "--fix", "all,afterwards:repaired")
    assert told.exit_code == 0, told.stderr
    assert "As you chose: read these values of temperature as missing" in told.stdout
    assert (tmp_path / "fixed" / "messy.csv").read_bytes() == (tmp_path / "messy.csv").read_bytes()
    scenario = load_scenario(tmp_path / "fixed", Step.DRAFT)[0]
    assert [one.model_dump(exclude_none=True) for one in scenario.data.readers] == [
        {"column": "temperature", "missing": ("-999",)},
        {"column": "flow", "units": {"l/min": 1.0}},
    ]
    assert {"phone", "repaired"} <= set(scenario.data.withheld) and "note<b>" not in scenario.data.withheld
    cases = read_cases(scenario, tmp_path / "fixed")
    assert cases["temperature"].min() > 0 and cases["temperature"].null_count() == 24
    assert scenario.field("flow").unit == "l/min" and 1 <= cases["flow"].mean() <= 9
    left = run("scenario", "doctor", tmp_path / "fixed").stdout
    assert "-999" not in left and "flow has its unit" not in left and "rare" not in left and "burst" in left
    manifest = tmp_path / "fixed" / "scenario.yaml"
    manifest.write_text(re.sub(r"    - {column: temperature, .*\n", "", manifest.read_text()))
    assert "temperature is -999" in run("scenario", "doctor", tmp_path / "fixed").stdout


def test_on_a_terminal_each_remedy_takes_one_key(messy, tmp_path, monkeypatch):
    monkeypatch.setattr("pilotbase.cli.scenario.sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    names = [one.partition("Fix: ")[0] for one in run(*messy, tmp_path / "none", keys="nnnnnn").stdout.split("Fix: ")]
    assert len(names) == 7
    told = run(*messy, tmp_path / "some", keys="yb\ra", language="zh")
    assert told.exit_code == 0, told.stderr
    scenario = load_scenario(tmp_path / "some", Step.DRAFT)[0]
    assert len(scenario.data.readers) == 2 and "phone" in scenario.data.withheld
    assert load_scenario(tmp_path / "none", Step.DRAFT)[0].data.readers is None


@pytest.fixture
def at_terminal(monkeypatch):
    """Return what answers offered remedies, by default two of which the second is not advised, with keys."""

    def answered(*reads, offered=None):
        offered = offered or [Remark(Outcome.INCONCLUSIVE, *SAID, fix) for fix in FIXES]
        left = iter(reads)
        monkeypatch.setattr("typer.getchar", lambda: next(left, ""))
        return _asked_fixes(offered)

    return answered


SAID = (text("doctor.page.nothing"),) * 2
FIXES = (Fix("sentinels", "heat"), Fix("afterwards", "paid"))


@pytest.mark.parametrize(
    ("reads", "wanted"),
    [
        (("y", "\r", "y"), FIXES),
        (("n\n", "y\n"), FIXES[1:]),
        (("\r", "\r"), FIXES[:1]),
        (("y", "\n", "\n"), FIXES[:1]),
        (("x", "\x1b[A", "y", "n"), FIXES[:1]),
    ],
)
def test_enter_after_a_key_answers_nothing_and_a_wrong_key_is_told(at_terminal, capsys, reads, wanted):
    assert at_terminal(*reads) == tuple(fix.spelled for fix in wanted)
    told = capsys.readouterr().out
    assert (
        told.count("means nothing here") == 2 * ("x" in reads) and "no Enter is needed" in told and "\x1b" not in told
    )


@pytest.mark.parametrize(
    ("fix", "asked", "told", "wanted"),
    [
        (
            Fix("unlabelled", "state", count=3),
            "An empty state means",
            "leave out the 3 rows in which state is empty? [Y/n, v:",
            "unlabelled:state=none",
        ),
        (
            Fix("classes", "state", label="burst"),
            "burst of state counts as",
            "leave out the rows in which state is burst? [y/N, v:",
            "classes:state/burst=none",
        ),
    ],
)
def test_a_key_says_what_an_answer_means_whose_rows_would_be_left_out(monkeypatch, capsys, fix, asked, told, wanted):
    keys, questions = iter("v"), []
    monkeypatch.setattr("typer.getchar", lambda: next(keys, ""))
    monkeypatch.setattr("typer.prompt", lambda question: questions.append(question) or "none")
    assert _asked_fixes([Remark(Outcome.FAIL, *SAID, fix)]) == (wanted,) and questions == [f"    {asked}"]
    assert told in capsys.readouterr().out


def test_where_input_ends_the_questions_do_too(at_terminal):
    with pytest.raises(typer.Abort):
        at_terminal("y")


def test_of_a_large_table_they_are_looked_for_in_a_sample(messy, tmp_path, monkeypatch):
    monkeypatch.setattr("pilotbase.cli.scenario.sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    monkeypatch.setattr("pilotbase.worker.intake.table_drafts._LONG_BYTES", 1000)
    monkeypatch.setattr("pilotbase.worker.intake.table_drafts._SAMPLE", 700)
    told = run(*messy, tmp_path / "large", keys="aaaaaaa")
    assert told.exit_code == 0 and "Fix: " in told.stdout, told.stderr
    assert "phone" in load_scenario(tmp_path / "large", Step.DRAFT)[0].data.withheld


@pytest.mark.parametrize(("fix", "says"), [("sentinel", "did you mean sentinels"), ("units:flo", "did you mean")])
def test_a_fix_that_does_not_exist_is_refused_with_those_that_do(messy, tmp_path, fix, says):
    told = run(*messy, tmp_path / "s", "--fix", fix)
    assert told.exit_code == 2 and says in told.stderr and not (tmp_path / "s").exists()


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


@pytest.mark.parametrize(
    ("reads", "wanted"),
    [("y", ["a", "b", "c"]), ("n", []), ("\r", []), ("onyn", ["b"]), ("onybny", ["c"])],
)
def test_columns_with_one_remedy_are_one_question(at_terminal, capsys, reads, wanted):
    told = [text("doctor.alone", column=name, share=percent(0.5)) for name in "abc"]
    offered = [Remark(Outcome.NOT_MEASURED, one, SAID[0], Fix("afterwards", one.params["column"])) for one in told]
    assert at_terminal(*reads, offered=offered) == tuple(f"afterwards:{name}" for name in wanted)
    asked = capsys.readouterr().out
    assert "1/1 Each of 3 columns alone" in asked and "a (50 %), b (50 %), c (50 %)" in asked
    assert asked.count("one by one") == 1 and ("2/3 b alone" in asked) == ("o" in reads)
