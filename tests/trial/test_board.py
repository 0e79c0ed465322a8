"""Boards through the box: what leaves, what does not, and that trial and board share no case."""

import json

import numpy as np
import polars as pl
import pytest

from pilotbase.cli import app
from pilotbase.documents.board import BoardSubmission
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.limits import EndReason
from pilotbase.trial.board import submit
from pilotbase.trial.scorer_process import run_submission
from pilotbase.trial.sealing import load_scenario, read_public_sample, seal_scenario
from pilotbase.vault.attempts import attempts_of, remaining
from pilotbase.vault.board import BoardSlice, slice_cases
from pilotbase.vault.hidden import HiddenSet
from pilotbase.worker import proving
from pilotbase.worker.boards import entry_line, show_board, submit_to_board
from pilotbase.worker.checking import verify_base_log
from pilotbase.worker.proving import prove
from tests.trial.conftest import BAD, GOOD

BOARD = "trial:\n  board: {measure: accuracy, share: 0.2, submissions: 3}\n"


@pytest.fixture
def write_board(write_scenario):
    def write(terms: str = BOARD, **options):
        return write_scenario(change=lambda content: content.replace("trial:\n", terms), **options)

    return write


def on_board(base, scenario) -> tuple[HiddenSet, list[int]]:
    record = seal_scenario(base.lab, *load_scenario(scenario, 0)).record
    cut = base.lab.view.load(record.board, BoardSlice)
    return base.lab.view.load(record.hidden_set, HiddenSet), slice_cases(base.lab.vault, cut).tolist()


def test_a_good_application_leads_and_a_worse_one_learns_only_that_it_does_not(base, write_board, write_application):
    scenario = write_board()
    first = submit_to_board(base, scenario, write_application(GOOD, "good"))
    assert first.entry.improved
    assert 0.9 < first.entry.released <= 1
    second = submit_to_board(base, scenario, write_application(BAD, "bad", supplier="globex"))
    assert (second.entry.improved, second.entry.released) == (False, first.entry.released)
    assert [entry.application.name for entry in second.board.ranked] == ["good"]
    assert second.board.used == {"acme": 1, "globex": 1}
    assert show_board(base, scenario) == second.board
    hidden, members = on_board(base, scenario)
    assert len(members) == first.board.cases == round(0.2 * hidden.rows)
    assert attempts_of(base.lab.vault, hidden) == []
    assert verify_base_log(base).code == "worker.log_holds"


def test_no_trial_scores_a_case_of_the_board(base, write_board, write_application):
    scenario = write_board(cases=300)
    hidden, members = on_board(base, scenario)
    proven = prove(base, scenario, write_application(GOOD))
    assert set(members).isdisjoint(pl.read_csv(proven.folder / "cases.csv")["case"].to_list())
    assert remaining(base.lab.vault, hidden).next_number == 2


def test_the_same_version_is_scored_once_and_the_limit_is_said(base, write_board, write_application):
    scenario = write_board(BOARD.replace("submissions: 3", "submissions: 1"))
    application = write_application(GOOD)
    once, again = (submit_to_board(base, scenario, application) for _ in range(2))
    assert once == again
    with pytest.raises(RefusedError) as caught:
        submit_to_board(base, scenario, write_application(BAD, "late"))
    assert caught.value.code == "vault.board_used_up"
    assert submit_to_board(base, scenario, application).entry == once.entry


PRINTING = """import os, sys
print("case by case", flush=True)
def predict(batch):
    print(list(batch['pressure']), flush=True)
    return ['fine'] * batch.rows
"""


def test_nothing_that_an_application_prints_or_that_tells_its_score_is_written(
    base, home, write_board, write_application
):
    scenario = write_board()
    submit_to_board(base, scenario, write_application(GOOD, "good"))
    entry = submit_to_board(base, scenario, write_application(PRINTING, "printing")).entry
    hidden, members = on_board(base, scenario)
    plain = share_right(base, hidden, members)
    assert entry.released > plain
    written = [path for path in home.rglob("*") if path.is_file() and path.parent.name != "rehearsal"]
    texts = [path.read_bytes() for path in written if path.suffix in {".json", ".html", ".log", ".csv", ".txt", ""}]
    assert len(texts) > 5
    boards = [stored.body for kind in ("board", "board-entry") for stored in base.lab.view.find(kind)]
    for spelled in (repr(plain)[:8].encode(), repr(1 - plain)[:8].encode()):
        assert not any(spelled in content for content in [*texts, *boards])
    folder = next((home / "runs").glob("board-*"))
    assert sorted(path.name for path in folder.iterdir()) == ["answers", "ended"]


def share_right(base, hidden, members) -> float:
    """Return what the released score of an application that always says *fine* would be."""
    from pilotbase.vault.opening import Purpose, ReaderGrant, open_hidden

    cases = np.array(members, dtype=np.int64)
    frames = open_hidden(base.lab.vault, hidden, ReaderGrant(Purpose.OWNER), cases)
    return float((pl.concat([piece.frame for piece in frames])["failure"] == "fine").mean())


def test_a_submission_broken_off_goes_on_from_its_answers(base, home, write_board, write_application, monkeypatch):
    """The second run finds the answers committed; the application would answer otherwise by then, and is not asked."""
    from pilotbase.trial import board as boards
    from pilotbase.trial.rehearsing import rehearse
    from pilotbase.trial.scoring import build_cases

    scenario = write_board()
    sealed, candidate = proving.take_in(base, scenario, write_application(GOOD), 0, lambda _: None)
    rehearse(base.lab, sealed, candidate)
    submission = submit(base.lab, sealed, candidate)
    with monkeypatch.context() as broken:
        broken.setattr(boards, "build_cases", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            boards.score_submission(base.lab, submission, lambda _: None)
    assert boards.build_cases is build_cases
    with monkeypatch.context() as asked:
        asked.setattr(boards, "run_candidate", lambda *_: pytest.fail("asked again"))
        entry = boards.score_submission(base.lab, submission, lambda _: None)
    assert entry.improved
    assert run_submission(base.lab, base.lab.view.load(submission.digest(), BoardSubmission)) == entry


def test_an_application_that_breaks_off_on_hidden_cases_is_told_so(base, write_board, write_application):
    scenario = write_board()
    known = set(
        read_public_sample(base.lab, seal_scenario(base.lab, *load_scenario(scenario, 0)))["pressure"].to_list()
    )
    program = "def predict(batch):\n    assert set(batch['pressure']) <= PUBLIC\n    return ['fine'] * batch.rows\n"
    program = f"PUBLIC = {known!r}\n{program}"
    entry = submit_to_board(base, scenario, write_application(program)).entry
    assert entry.end is EndReason.APPLICATION_ERROR
    assert entry.released == 0
    assert "did not answer every case" in entry_line(entry).render("en")


@pytest.mark.parametrize("measure", ["f1(broken)", "gap(recall(broken) by site)", "auc", "nonsense", "accuracy >"])
def test_a_measure_that_is_no_mean_over_cases_is_refused_before_anything_is_sealed(base, write_board, measure):
    scenario = write_board(BOARD.replace("accuracy", measure))
    with pytest.raises(InputError) as caught:
        seal_scenario(base.lab, *load_scenario(scenario, 0))
    assert caught.value.issues[0].path == "trial.board.measure"
    assert base.lab.view.find("hidden-set") == []


def test_no_board_without_terms(base, write_scenario, write_application):
    scenario, application = write_scenario(), write_application()
    with pytest.raises(RefusedError) as caught:
        show_board(base, scenario)
    assert caught.value.code == "worker.board_not_sealed"
    with pytest.raises(RefusedError) as caught:
        submit_to_board(base, scenario, application)
    assert caught.value.code == "trial.no_board"


def test_a_board_whose_cases_were_published_later_takes_no_more_submissions(base, write_board, write_application):
    scenario = write_board()
    submit_to_board(base, scenario, write_application(GOOD))
    renamed = write_board(name="again")
    text = (renamed / "scenario.yaml").read_text().replace("small-alarm", "renamed-alarm")
    (renamed / "scenario.yaml").write_text(text.replace(BOARD, "trial:\n"))
    seal_scenario(base.lab, *load_scenario(renamed, 0))
    with pytest.raises(RefusedError) as caught:
        submit_to_board(base, scenario, write_application(GOOD + "# 2\n", "second"))
    assert caught.value.code == "trial.board_published"


def test_the_command_shows_the_board_and_prints_documents(base, write_board, write_application):
    from typer.testing import CliRunner

    scenario, application = write_board(), write_application(GOOD, "good")
    run = CliRunner().invoke
    submitted = run(app, ["trial", "board", str(scenario), str(application), "--json"])
    assert submitted.exit_code == 0, submitted.output
    found = json.loads(submitted.stdout)
    assert found["submission"]["improved"] is True
    shown = run(app, ["trial", "board", str(scenario)])
    assert shown.exit_code == 0, shown.output
    assert f"1. {found['submission']['released']:.4f}  good 1.0.0, acme" in shown.stdout
    assert "acme: 1 of 3 submissions used" in shown.stdout
    again = run(app, ["trial", "board", str(scenario), "--json"])
    assert json.loads(again.stdout) == {"submission": None, "board": found["board"]}
    worse = run(app, ["trial", "board", str(scenario), str(write_application(BAD, "bad"))])
    assert worse.exit_code == 0
    assert "nothing else is released" in worse.stdout
