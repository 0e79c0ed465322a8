"""The command line as its users meet it: exit codes, both languages, JSON, Ctrl-C, a full disk."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner

from pilotbase.certificate.bounded_json import CERTIFICATE, parse_model
from pilotbase.certificate.envelope import Envelope, read_statement
from pilotbase.certificate.revoking import suspend
from pilotbase.cli import app
from pilotbase.documents.base import Step
from pilotbase.documents.plan import UnitDraw, units_for
from pilotbase.trial.scenario_folder import load_scenario
from pilotbase.worker.base import open_base
from pilotbase.worker.intake.scenario_tables import CaseCounts
from pilotbase.workspace import tables
from tests.trial.conftest import BAD, GOOD, home, write_application, write_scenario  # noqa: F401 - fixtures

SLOW = "import time\ndef predict(batch):\n    time.sleep(0.3)\n" + GOOD.split("\n", 1)[1]


def run(*arguments, language="en", keys=None):
    result = CliRunner(env={"PILOTBASE_LANGUAGE": language}).invoke(app, [str(part) for part in arguments], keys)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_accept_is_0_reject_is_3_refused_is_5(home, write_scenario, write_application, tmp_path):  # noqa: F811
    scenario = write_scenario()
    accepted = run("trial", "run", scenario, write_application(), "--out", tmp_path / "out", "--json")
    assert accepted.exit_code == 0
    assert json.loads(accepted.stdout)["verdict"] == "accept"
    assert run("trial", "run", scenario, write_application(BAD, "bad")).exit_code == 3
    sized = json.loads(run("trial", "plan-size", scenario, "--json").stdout)
    left = sized["budget"]
    assert sized["attempt"] == left["next_number"] == 3 and sized["level"] == left["next_level"]
    assert (sized["missing"] or 0) == max(0, sized["cases"] - left["fresh"])
    assert "the next one is number 3" in run("trial", "plan-size", scenario).stdout
    refused = run("trial", "run", scenario, write_application("def predict(batch):\n    return 1\n", "broken"))
    assert refused.exit_code == 5
    assert "Traceback" not in refused.stderr
    trust = home / "trust-roots.json"
    certificate = tmp_path / "out" / "certificate.json"
    assert run("certificate", "verify", certificate, "--trust", trust, "--lenient").exit_code == 0
    assert run("certificate", "verify", certificate, "--trust", trust).exit_code == 4
    fresh = ("--revocations", home / "revocations.json")
    assert run("certificate", "verify", certificate, "--trust", trust, *fresh).exit_code == 0
    assert run("certificate", "verify", tmp_path / "out").exit_code == 0, "this machine's own base is trusted"
    serial = json.loads(run("certificate", "verify", certificate, "--json").stdout)["serial"]
    for which in (tmp_path / "out", certificate, serial):
        assert run("certificate", "export", which, "--to", "cyclonedx", "--out", tmp_path / "bom.json").exit_code == 0
        card = json.loads((tmp_path / "bom.json").read_bytes())["metadata"]["component"]["modelCard"]
        assert bool(card["quantitativeAnalysis"]["performanceMetrics"]) is (which != serial), "figures: of the report"
    content = json.loads(certificate.read_bytes())
    content["payload"] = content["payload"][:-8] + "AAAAAAAA"
    certificate.write_text(json.dumps(content))
    assert run("certificate", "verify", certificate, "--trust", trust).exit_code == 3
    assert run("log", "verify", "--checkpoint", tmp_path / "out" / "log-checkpoint.txt").exit_code == 0


def test_spent_cases_made_fresh_in_the_database_are_named_and_nothing_is_tried_on_them(
    home,  # noqa: F811
    write_scenario,  # noqa: F811
    write_application,  # noqa: F811
):
    """As many cases are marked as before, only others: whoever counts them sees nothing."""
    scenario = write_scenario()
    assert run("trial", "run", scenario, write_application()).exit_code == 0
    base = open_base()
    with base.lab.store.database.write() as connection:
        (scored,) = connection.scalars(select(tables.hidden_sets.c.scored))
        connection.execute(update(tables.hidden_sets).values(scored=bytes(scored)[::-1]))
    base.lab.close()
    found = run("log", "verify")
    assert found.exit_code == 3 and "not those committed to in the log" in found.stderr
    assert "案例" in run("log", "verify", language="zh").stderr
    tried = run("trial", "run", scenario, write_application(name="next"))
    assert tried.exit_code == 3 and "not those committed to in the log" in tried.stderr
    base = open_base()
    assert {attempt.number for attempt in attempts_in(base)} == {1}
    base.lab.close()


@pytest.mark.prove
def test_a_document_shown_in_the_database_is_named(home, write_scenario, write_application):  # noqa: F811
    """The listing, which has the same column, is changed along with the document."""
    assert run("trial", "run", write_scenario(), write_application()).exit_code == 0
    assert run("log", "verify").exit_code == 0
    base, row = open_base(), tables.documents.c
    with base.lab.store.database.write() as connection:
        (sealed,) = connection.scalars(select(row.digest).where(row.kind == "hidden-set", row.scope == "parties"))
        for table in (tables.documents, tables.listings):
            connection.execute(update(table).where(table.c.digest == sealed).values(scope="public"))
    base.lab.close()
    found = run("log", "verify")
    assert found.exit_code == 3 and sealed in found.stderr and "visible to: public" in found.stderr
    assert "可见范围" in run("log", "verify", language="zh").stderr


def attempts_in(base):
    with base.lab.store.database.read() as connection:
        return connection.execute(select(tables.attempts)).all()


def test_an_earlier_result_says_so_and_what_became_of_its_certificate(
    home,  # noqa: F811
    write_scenario,  # noqa: F811
    write_application,  # noqa: F811
    tmp_path,
):
    asked = ("trial", "run", write_scenario(), write_application(), "--out", tmp_path / "out")
    assert "earlier result" not in run(*asked).stdout
    base = open_base()
    certificate = read_statement(
        parse_model(Envelope, (tmp_path / "out" / "certificate.json").read_bytes(), CERTIFICATE).content()
    )
    suspend(base.trust, base.lab.view, base.revocations, certificate.serial, "late flights", datetime.now(UTC))
    base.lab.close()
    held = run(*asked)
    assert held.exit_code == 0 and "earlier result" in held.stdout
    assert "suspended since" in held.stdout and "late flights" in held.stdout


@pytest.mark.parametrize(("language", "printed"), [("en", "everything it printed: "), ("zh", "全部输出：")])
def test_a_rehearsal_that_fails_shows_the_traceback_and_where_the_log_is(
    home,  # noqa: F811
    write_scenario,  # noqa: F811
    write_application,  # noqa: F811
    tmp_path,
    language,
    printed,
):
    broken = write_application("def predict(batch):\n    print('half way', end='')\n    return [1 / 0]\n")
    failed = run("trial", "rehearse", write_scenario(), broken, "--out", tmp_path / "out", language=language)
    assert failed.exit_code == 3
    assert "ZeroDivisionError: division by zero" in failed.stdout and "return [1 / 0]" in failed.stdout
    (line,) = [line for line in failed.stdout.splitlines() if printed in line]
    assert Path(line.partition(printed)[2]).read_text().startswith("half way")
    sound = run("trial", "rehearse", tmp_path / "scenario", write_application(name="sound"), language=language)
    assert "Traceback" not in sound.stdout and printed in sound.stdout


@pytest.mark.prove
def test_one_odd_application_does_not_stop_the_others(home, write_scenario, write_application, tmp_path):  # noqa: F811
    version, tree, lock, good = (write_application(name=name) for name in ("version", "tree", "lock", "good"))
    manifest = version / "application.yaml"
    manifest.write_text(manifest.read_text().replace("1.0.0", "1.0.0-" + "a" * 300))
    with open(os.fsencode(tree) + b"/\xff.txt", "w"):
        pass
    (lock / "application.yaml").write_text((lock / "application.yaml").read_text() + "requirements: /etc/passwd\n")
    for command in ("rehearse", "run"):
        result = run(
            "trial", command, write_scenario(name=command), version, tree, lock, good, "--out", tmp_path / command
        )
        assert result.exit_code == 2
        assert "root:" not in result.output
        assert [str(folder) in result.stderr for folder in (version, tree, lock, good)] == [True, True, True, False]
        assert list((tmp_path / command / "good").rglob("report.json"))


def test_a_base_with_a_name_of_its_own_works_under_it(home, write_scenario, write_application, tmp_path):  # noqa: F811
    assert run("init", "--name", "No Name!").exit_code == 2
    assert run("init", "--name", "our-base").exit_code == 0
    assert run("init").exit_code == 0
    assert run("init", "--name", "other").exit_code == 5
    scenario, application = write_scenario(rows=150, cases=40), write_application()
    assert run("trial", "rehearse", scenario, application).exit_code == 0
    assert run("trial", "run", scenario, application, "--out", tmp_path / "out").exit_code in (0, 4)
    files = (tmp_path / "out" / "certificate.json", "--trust", home / "trust-roots.json")
    listed = run("certificate", "verify", *files, "--revocations", home / "revocations.json")
    assert listed.exit_code == 0
    assert "Not revoked in list 1" in listed.stdout
    assert run("certificate", "revoke", files[0], "--reason", "wrong data").exit_code == 0
    (home / "revocations.json").unlink()
    assert run("init").exit_code == 0
    assert run("certificate", "verify", *files, "--revocations", home / "revocations.json").exit_code == 3
    assert run("log", "verify").exit_code == 0


@pytest.mark.parametrize("language", ["en", "zh"])
def test_bad_input_is_2_and_speaks_the_readers_language(home, write_scenario, tmp_path, language):  # noqa: F811
    result = run("trial", "run", write_scenario(), tmp_path / "nowhere", language=language)
    assert result.exit_code == 2
    chinese = any("\u4e00" <= letter <= "\u9fff" for letter in result.stderr)
    assert chinese == (language == "zh")
    assert "nowhere" in result.stderr


@pytest.mark.parametrize(("language", "asked"), [("en", "did you mean"), ("zh", "是否指")])
def test_all_problems_of_a_scenario_come_with_their_lines(write_scenario, language, asked):  # noqa: F811
    wrong = {
        "sector: manufacturing": "sectr: manufacturing",
        "accuracy >= 0.7": "accuracy => 0.7",
        "recall(broken) >= 0.7": "recal(broken) >= 0.7",
        "rule: pressure > 8": "rule: presure > 8",
        "name: age": "name: agee",
        "  attempts: 6": "  attempts: many",
    }

    def change(content):
        for right, slip in wrong.items():
            content = content.replace(right, slip)
        return content

    scenario = write_scenario(change=change)
    result = run("scenario", "check", scenario, language=language)
    assert result.exit_code == 2
    told = [line.strip() for line in result.stderr.splitlines()]
    source = (scenario / "scenario.yaml").read_text().splitlines()
    places = [
        f"{scenario / 'scenario.yaml'}:{1 + next(at for at, line in enumerate(source) if slip in line)} "
        for slip in wrong.values()
    ]
    assert [len([line for line in told if line.startswith(place)]) for place in places] == [1] * len(wrong), told
    assert "\n".join(told).count(asked) == 4


def test_attempts_that_the_hidden_cases_do_not_hold_have_a_size_that_fits():
    by_pump = UnitDraw(column="pump", units=9, hidden=31, cases=60, average=45)
    for counts in (CaseCounts(0, 607, 0, 203), CaseCounts(0, 155, 0, 45, by_pump)):
        fits = counts.largest_of(6)
        held = counts.hidden // fits if counts.draw is None else 31 // units_for(fits, 31, 155)
        assert counts.attempts < 6 == held


@pytest.mark.prove
def test_attempts_that_the_hidden_cases_do_not_hold_are_told_with_the_size_that_fits(write_scenario):  # noqa: F811
    scenario = write_scenario(cases=100)
    told = run("scenario", "check", scenario).stdout
    fits = re.search(r"6 attempts are allowed, .* last for \d; set trial.cases_per_attempt to (\d+) or less", told)
    manifest = scenario / "scenario.yaml"
    for size, noted in ((int(fits[1]), False), (int(fits[1]) + 1, True)):
        text = re.sub(r"cases_per_attempt: \d+", f"cases_per_attempt: {size}", manifest.read_text())
        manifest.write_text(text)
        assert ("attempts are allowed" in run("scenario", "check", scenario).stdout) is noted


def test_the_questions_name_the_columns_are_checked_at_once_and_go_back(home, tmp_path):  # noqa: F811
    source, draw = tmp_path / "pumps.csv", random.Random(5)
    kinds = (draw.choices(["none", "mild", "severe"], [6, 3, 1])[0] for _ in range(900))
    rows = [f"{index},{draw.randrange(90)},{kind}" for index, kind in enumerate(kinds)]
    source.write_text("\n".join(["nr,load,state", *rows]))
    typed = ["Pumps fail", "sate", "9", "2", "<", "state", "", "severe as nome", "-3", "severe as none=500, * as *=5"]
    typed += ["<", "<", "", "severe as none=500, * as *=5", "works, desk"]
    made = CliRunner().invoke(
        app, ["scenario", "new", "--from", str(source), "--out", str(tmp_path / "s")], input="\n".join(typed) + "\n"
    )
    assert made.exit_code == 0, made.output
    assert "Columns: 1 nr, 2 load, 3 state." in made.output
    assert "sate is no column of the file" in made.output and "did you mean state" in made.output
    assert "9 is no column" in made.output and "-3 is no cost" in made.output
    drafted = load_scenario(tmp_path / "s", Step.DRAFT)[0]
    assert (drafted.data.target, drafted.costs.mistakes) == ("state", "severe as none=500, * as *=5")
    assert made.output.count("5/6") == 0, "what each mistake costs answers both questions"


@pytest.mark.parametrize(
    ("values", "asked", "unasked"),
    [
        (["late", "on time", "on time"], "a case of “on time” answered with “late”", "severe as none"),
        ([f"{n / 7:.2f}" for n in range(100)], "Cost of being wrong by one unit", "5/6"),
        ([f"part {n}" for n in range(100)], "6/6", "4/6"),
    ],
)
def test_costs_are_asked_for_as_the_answers_have_them(home, tmp_path, values, asked, unasked):  # noqa: F811
    rows = [f"{n * 37 % 101},{values[n % len(values)]}" for n in range(200)]
    (tmp_path / "t.csv").write_text("\n".join(["load,answer", *rows]))
    new = ["scenario", "new", "--from", str(tmp_path / "t.csv"), "--out", str(tmp_path / "s")]
    told = CliRunner().invoke(app, [*new, "--problem", "p", "--target", "answer"], input="\n3\n2\n")
    assert asked in told.output and unasked not in told.output


def test_a_new_scenario_and_a_new_application_run_as_they_stand(home, write_scenario, tmp_path):  # noqa: F811
    source = tmp_path / "pumps.csv"
    shutil.copyfile(write_scenario() / "cases.csv", source)
    answers = "The pump fails\nfailure\nsite\n5000\n200\nwaterworks, control room\n"
    made = CliRunner().invoke(
        app, ["scenario", "new", "--from", str(source), "--out", str(tmp_path / "s")], input=answers
    )
    assert made.exit_code == 0, made.output
    found = run("scenario", "check", tmp_path / "s")
    assert found.exit_code == 0 and "The hidden cases hold 3 attempts of " in found.stdout
    assert "so a verdict says nothing about future cases" in found.stdout, "what the cases can prove"
    sized = json.loads(run("trial", "plan-size", tmp_path / "s", "--label-cost", "2", "--json").stdout)
    assert (sized["cost"], sized["attempts"], sized["missing"]) == (2 * sized["cases"], 0, sized["cases"] - 340)
    both = run("trial", "plan-size", tmp_path / "s", "--rule", "accuracy >= 0.9")
    assert both.exit_code == 2 and "either a scenario or a rule" in both.stderr
    assert run("application", "new", tmp_path / "s", "--out", tmp_path / "a", "--supplier", "me").exit_code == 0
    assert (tmp_path / "a-sample.csv").is_file()
    checked = run("application", "check", tmp_path / "a")
    assert checked.exit_code == 0 and "Python: the function app:predict" in checked.stdout
    assert run("trial", "rehearse", tmp_path / "s", tmp_path / "a").exit_code == 0
    frozen = run("trial", "freeze", tmp_path / "s", tmp_path / "a")
    assert frozen.exit_code == 0 and "The hidden cases hold 3 attempts of " in frozen.stderr
    assert run("application", "new", tmp_path / "s", "--out", tmp_path / "a").exit_code == 2


def start(home_path: Path, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from pilotbase.cli import main; main()", *map(str, arguments)]
    environment = {**os.environ, "PILOTBASE_HOME": str(home_path), "PILOTBASE_LANGUAGE": "en"}
    return subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=hear_ctrl_c
    )


def hear_ctrl_c() -> None:
    """Undo what a shell does to jobs in its background: they start deaf to Ctrl-C, and so would we."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.prove
def test_ctrl_c_is_130_and_the_same_command_goes_on(home, write_scenario, write_application, tmp_path):  # noqa: F811
    scenario, application = write_scenario(), write_application(SLOW)
    process = start(home, "trial", "run", scenario, application, "--out", tmp_path / "out")
    for line in process.stderr:
        if "answers hidden cases" in line:
            break
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "Nothing is lost" in said
    assert not (tmp_path / "out" / "report.json").exists()
    assert run("trial", "run", scenario, application, "--out", tmp_path / "out").exit_code == 0
    assert json.loads((tmp_path / "out" / "report.json").read_text())["attempt"]["number"] == 1


@pytest.mark.prove
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
def test_a_full_disk_is_1_and_nothing_is_half_written(write_scenario, write_application, tmp_path):  # noqa: F811
    scenario, application = write_scenario(rows=3000), write_application()
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "none", str(small)], check=True)
    try:
        process = start(small / "home", "trial", "run", scenario, application, "--out", tmp_path / "out")
        _, said = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "Traceback" not in said
        assert "space" in said
        subprocess.run(["mount", "-o", "remount,size=200m", str(small)], check=True)
        process = start(small / "home", "trial", "run", scenario, application, "--out", tmp_path / "out")
        process.communicate(timeout=60)
        assert process.returncode == 0
    finally:
        subprocess.run(["umount", "-l", str(small)], check=False)


def test_help_is_quick():
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-c", "from pilotbase.cli import main; main()", "--help"], check=True, capture_output=True
    )
    assert time.monotonic() - began < 3
