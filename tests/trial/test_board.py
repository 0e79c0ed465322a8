"""Boards through the box: what leaves, what does not, and that trial and board share no case."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from pilotbase.cli import app
from pilotbase.documents.base import Step
from pilotbase.documents.board import Board, BoardEntry, BoardSubmission
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.limits import EndReason
from pilotbase.trial.board import submit
from pilotbase.trial.board_measure import board_rule, with_valid_band
from pilotbase.trial.scenario_folder import load_scenario
from pilotbase.trial.scorer_process import run_submission
from pilotbase.trial.sealed import read_public_sample
from pilotbase.trial.sealing import seal_scenario
from pilotbase.vault.attempts import attempts_of, remaining
from pilotbase.vault.board import BoardSlice, slice_cases
from pilotbase.vault.opening import ReaderGrant
from pilotbase.vault.sealing import HiddenSet
from pilotbase.worker.base import open_base
from pilotbase.worker.trials import proving
from pilotbase.worker.trials.boards import board_lines, entry_line, show_board, submit_to_board
from pilotbase.worker.trials.log_check import verify_base_log
from pilotbase.worker.trials.proving import prove
from tests.trial.conftest import BAD, GOOD, writing_application, writing_scenario

BOARD = "trial:\n  board: {measure: accuracy, share: 0.2, submissions: 3, entries: 3, improvements: 2}\n"


@pytest.fixture
def write_board(write_scenario):
    def write(terms: str = BOARD, **options):
        return write_scenario(change=lambda content: content.replace("trial:\n", terms), **options)

    return write


def on_board(base, scenario) -> tuple[HiddenSet, list[int]]:
    record = seal_scenario(base.lab, *load_scenario(scenario, Step.DRAFT)).record
    cut = base.lab.view.load(record.board, BoardSlice)
    return base.lab.view.load(record.hidden_set, HiddenSet), slice_cases(
        base.lab.vault, cut, ReaderGrant.of_owner(cut.owner)
    ).tolist()


PRINTING = """import os, sys
print("case by case", flush=True)
def predict(batch):
    print(list(batch['pressure']), flush=True)
    return ['fine'] * batch.rows
"""
"""As `BAD`, and talking about it."""


@dataclass(frozen=True)
class Played:
    """A base on which *good* of acme and *printing* of globex were submitted by command, and what it said."""

    place: Path
    good: dict[str, Any]
    worse: str

    @property
    def scenario(self) -> Path:
        return self.place / "scenario"


@pytest.fixture(scope="module")
def played_once(tmp_path_factory):
    place = tmp_path_factory.mktemp("board")
    terms = BOARD.replace("submissions: 3", "submissions: 1")
    scenario = writing_scenario(place)(change=lambda content: content.replace("trial:\n", terms))
    write = writing_application(place)
    good, worse = write(GOOD, "good"), write(PRINTING, "printing", supplier="globex")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PILOTBASE_HOME", str(place / "home"))
        open_base(create=True, name="test-base").lab.close()
        submitted = CliRunner().invoke(app, ["trial", "board", str(scenario), str(good), "--json"])
        assert submitted.exit_code == 0, submitted.output
        second = CliRunner().invoke(app, ["trial", "board", str(scenario), str(worse)])
        assert second.exit_code == 0, second.output
    return Played(place, json.loads(submitted.stdout), second.stdout)


@pytest.fixture
def played(played_once, tmp_path, monkeypatch):
    """Return a copy of the base, to do with as one likes."""
    place = shutil.copytree(played_once.place, tmp_path / "played")
    monkeypatch.setenv("PILOTBASE_HOME", str(place / "home"))
    return Played(place, played_once.good, played_once.worse)


@pytest.fixture
def again(played):
    base = open_base()
    yield base
    base.lab.close()


def test_a_good_application_leads_and_a_worse_one_learns_only_that_it_does_not(played, again):
    first = played.good["submission"]
    assert first["improved"]
    steps = first["released"] * 7
    assert steps == pytest.approx(round(steps)) and steps > 5, "on a step, whatever slice chance has cut"
    board = show_board(again, played.scenario)
    entries = [again.lab.view.load(found.digest, BoardEntry) for found in again.lab.view.find("board-entry")]
    (second,) = [entry for entry in entries if entry.application.name == "printing"]
    assert (second.improved, second.released) == (False, first["released"])
    assert [entry.application.name for entry in board.ranked] == ["good"]
    assert board.used == {"acme": 1, "globex": 1}
    hidden, members = on_board(again, played.scenario)
    assert len(members) == board.cases == round(0.2 * hidden.rows)
    assert attempts_of(again.lab.vault, hidden) == []
    assert verify_base_log(again).code == "worker.log_holds"


def test_the_command_shows_the_board_and_prints_documents(played):
    shown = CliRunner().invoke(app, ["trial", "board", str(played.scenario)])
    assert shown.exit_code == 0, shown.output
    assert f"1. {played.good['submission']['released']:.4f}  good 1.0.0, acme" in shown.stdout
    assert "acme: 1 of 1 submission used" in shown.stdout
    assert "3 submissions in all and 2 improvements shown, in steps of 0.143" in shown.stdout
    assert "no score on the board overstates the true score by more than 0.19" in " ".join(shown.stdout.split())
    printed = json.loads(CliRunner().invoke(app, ["trial", "board", str(played.scenario), "--json"]).stdout)
    assert printed["submission"] is None
    assert printed["board"]["ranked"] == played.good["board"]["ranked"]
    assert "nothing else is revealed" in played.worse


def test_no_trial_scores_a_case_of_the_board(base, write_board, write_application):
    scenario = write_board(cases=300)
    hidden, members = on_board(base, scenario)
    proven = prove(base, scenario, write_application(GOOD))
    assert set(members).isdisjoint(pl.read_csv(proven.folder / "cases.csv")["case"].to_list())
    assert remaining(base.lab.vault, hidden).next_number == 2


def test_the_same_version_is_scored_once_and_the_limit_is_said(played, again, write_application):
    once = submit_to_board(again, played.scenario, played.place / "good")
    assert once.entry.to_json_value() == played.good["submission"]
    assert once.board.used == {"acme": 1, "globex": 1}
    with pytest.raises(RefusedError) as caught:
        submit_to_board(again, played.scenario, write_application(BAD, "late"))
    assert caught.value.code == "vault.board_used_up"


def test_nothing_that_an_application_prints_or_that_tells_its_score_is_written(played, again):
    home = played.place / "home"
    hidden, members = on_board(again, played.scenario)
    plain = share_right(again, hidden, members)
    assert played.good["submission"]["released"] > plain
    written = [path for path in home.rglob("*") if path.is_file() and path.parent.name != "rehearsal"]
    texts = [path.read_bytes() for path in written if path.suffix in {".json", ".html", ".log", ".csv", ".txt", ""}]
    assert len(texts) > 5
    boards = [stored.body for kind in ("board", "board-entry") for stored in again.lab.view.find(kind)]
    for spelled in (repr(plain)[:8].encode(), repr(1 - plain)[:8].encode()):
        assert not any(spelled in content for content in [*texts, *boards])
    folders = list((home / "runs").glob("board-*"))
    assert len(folders) == 2
    assert all(sorted(path.name for path in folder.iterdir()) == ["answers", "ended"] for folder in folders)


def share_right(base, hidden, members) -> float:
    """Return what the released score of an application that always says *fine* would be."""
    from pilotbase.vault.opening import open_hidden

    cases = np.array(members, dtype=np.int64)
    frames = open_hidden(base.lab.vault, hidden, ReaderGrant.of_owner(hidden.owner), cases)
    return float((pl.concat([piece.frame for piece in frames])["failure"] == "fine").mean())


def test_a_submission_broken_off_goes_on_from_its_answers(base, home, write_board, write_application, monkeypatch):
    """The second run finds the answers committed; the application would answer otherwise by then, and is not asked."""
    from pilotbase.trial import board as boards
    from pilotbase.trial.rehearsing import rehearse
    from pilotbase.trial.scoring import build_cases

    scenario = write_board()
    sealed, candidate = proving.take_in(base, scenario, write_application(GOOD), Step.DRAFT, lambda _: None)
    rehearse(base.lab, sealed, candidate)
    submission = submit(base.lab, sealed, candidate)
    with monkeypatch.context() as broken:
        broken.setattr(boards, "build_cases", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            boards.score_submission(base.lab, submission, lambda _: None)
    assert boards.build_cases is build_cases
    with monkeypatch.context() as asked:
        asked.setattr("pilotbase.trial.running.run_candidate", lambda *_: pytest.fail("asked again"))
        entry = boards.score_submission(base.lab, submission, lambda _: None)
    assert entry.improved
    assert run_submission(base.lab, base.lab.view.load(submission.digest(), BoardSubmission)) == entry


def test_an_application_that_breaks_off_on_hidden_cases_is_told_so(base, write_board, write_application):
    scenario = write_board()
    known = set(
        read_public_sample(base.lab, seal_scenario(base.lab, *load_scenario(scenario, Step.DRAFT)))[
            "pressure"
        ].to_list()
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
        seal_scenario(base.lab, *load_scenario(scenario, Step.DRAFT))
    assert caught.value.issues[0].path == "trial.board.measure"
    assert base.lab.view.find("hidden-set") == []


def test_a_board_whose_band_would_be_useless_is_refused_with_the_cases_it_needs(base, write_board):
    """About 84 cases for 100 submissions and 5 improvements."""
    scenario = write_board("trial:\n  board: {measure: accuracy, share: 0.2}\n")
    with pytest.raises(InputError) as caught:
        seal_scenario(base.lab, *load_scenario(scenario, Step.DRAFT))
    (issue,) = caught.value.issues
    assert (issue.path, issue.problem.code, issue.problem.params["needed"]) == ("trial.board", "trial.board_wide", 355)
    checked = CliRunner().invoke(app, ["scenario", "check", str(scenario)])
    assert checked.exit_code == 2
    assert "needs 355" in " ".join(checked.output.split())
    assert base.lab.view.find("hidden-set") == []


def test_a_board_of_probabilities_is_scored_at_the_scenarios_own_threshold(write_board):
    scenario, _ = load_scenario(write_board(), Step.DRAFT)
    probable = scenario.model_copy(update={"prediction": "probability", "decision_threshold": 0.3})
    assert str(board_rule(scenario, "accuracy")) == "accuracy >= 0"
    assert str(board_rule(probable, "accuracy")) == "accuracy(cut=0.3) >= 0"
    assert str(board_rule(probable, "error_rate")) == "error_rate(cut=0.3) <= 0"


@pytest.mark.parametrize(("measure", "band"), [("accuracy", 0.1), ("balanced_accuracy", None)])
def test_an_older_board_on_a_measure_of_uneven_cases_has_no_band(write_board, measure, band):
    scenario, _ = load_scenario(write_board(), Step.DRAFT)
    kept = Board(
        slice="sha256:" + "0" * 64,
        scenario=scenario.name,
        owner=scenario.owner,
        measure=measure,
        better="higher",
        cases=900,
        allowed=3,
        entries=3,
        improvements=2,
        step=0.05,
        band=0.1,
    )
    told = with_valid_band(scenario, kept)
    assert told.band == band
    said = " ".join(line.render() for line in board_lines(told))
    assert ("95 % probability" in said) == (band is not None)
    assert ("is not known" in said) == (band is None)


def test_no_board_without_terms(base, write_scenario, write_application):
    scenario, application = write_scenario(), write_application()
    with pytest.raises(RefusedError) as caught:
        show_board(base, scenario)
    assert caught.value.code == "worker.board_not_sealed"
    with pytest.raises(RefusedError) as caught:
        submit_to_board(base, scenario, application)
    assert caught.value.code == "trial.no_board"


def test_a_board_whose_cases_were_published_later_takes_no_more_submissions(played, again, write_application):
    renamed = played.place / "again"
    shutil.copytree(played.scenario, renamed)
    text = (renamed / "scenario.yaml").read_text().replace("small-alarm", "renamed-alarm")
    (renamed / "scenario.yaml").write_text(text.replace("submissions: 1", "submissions: 3").replace(BOARD, "trial:\n"))
    seal_scenario(again.lab, *load_scenario(renamed, Step.DRAFT))
    with pytest.raises(RefusedError) as caught:
        submit_to_board(again, played.scenario, write_application(GOOD, "second", supplier="initech"))
    assert caught.value.code == "trial.board_published"
